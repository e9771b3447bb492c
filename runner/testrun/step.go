package testrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/slots"
)

// subject is a run with what it depends on. Repository and environment may be nil where the run needs them no more.
type subject struct {
	run    *v1alpha1.TestRun
	repo   *v1alpha1.TestRepository
	env    *v1alpha1.TestEnvironment
	suites map[string]catalog.Suite
	// blocked is why there are no suites.
	blocked error
}

// step observes a planned run, asks what happens next, and does it. What is packed before may take as long as the Git
// host likes, so that the run is observed after it: it is judged as it is now.
func (r *Reconciler) step(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) (ctrl.Result, error) {
	s := subject{run: run, repo: repo, env: env}
	if s.suites, s.blocked = r.suites(ctx, run, repo, env); ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err()
	}
	contents, err := r.prepare(ctx, s)
	if err != nil {
		return ctrl.Result{}, err
	}
	observed, now, err := r.observe(ctx, s)
	if err != nil {
		return ctrl.Result{}, err
	}
	release := func() {}
	if s.blocked == nil {
		want := len(runner.Due(run, s.suites, env, observed, now))
		if observed.Slots, release, err = r.Slots.Reserve(run, r.places(ctx, env), want); err != nil {
			return ctrl.Result{}, err
		}
	} else {
		r.withdraw(run)
	}
	defer release()
	status, actions := runner.Next(run, s.suites, env, observed, now)
	refused, err := r.startAll(ctx, s, actions, contents)
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(refused) > 0 {
		// What it could not use is for those behind it, until it comes back.
		r.withdraw(run)
		observed.Refused = refused
		status, actions = runner.Next(run, s.suites, env, observed, now)
	}
	if status.State.Final() {
		r.withdraw(run)
	}
	later, err := r.write(ctx, run, status, stops(actions))
	if err != nil {
		return settle(err)
	}
	if err := r.stopAll(ctx, run, actions); err != nil {
		return ctrl.Result{}, err
	}
	return wait(actions, refused, later, now), nil
}

// conclude carries out what is left to do for a run that is final, or becomes so without anything being started: pods
// that are left over are stopped.
func (r *Reconciler) conclude(ctx context.Context, run *v1alpha1.TestRun, superseded bool) (ctrl.Result, error) {
	r.withdraw(run)
	now := time.Now()
	attempts, err := r.Executor.List(ctx, run)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("listing the attempts: %w", err)
	}
	status, actions := runner.Next(run, nil, nil, runner.Observed{Attempts: attempts, Superseded: superseded}, now)
	if _, err := r.write(ctx, run, status, true); err != nil {
		return settle(err)
	}
	if err := r.stopAll(ctx, run, actions); err != nil {
		return ctrl.Result{}, err
	}
	return wait(actions, nil, 0, now), nil
}

// suites gives the rendered suites that the plan says run, by name, as they run in the environment.
func (r *Reconciler) suites(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) (map[string]catalog.Suite, error) {
	rendered, err := r.Catalogs.At(ctx, repo, run.Spec.Commit, run.Spec.Environment)
	if err != nil {
		return nil, err
	}
	suites := map[string]catalog.Suite{}
	for _, planned := range run.Status.Plan {
		if suite, ok := rendered.Suite(planned.Suite); ok && planned.Run {
			suites[planned.Suite] = catalog.WithDefaultsOf(suite, env)
		}
	}
	return suites, nil
}

// observe gives what can be seen of the run, and the one instant that it is judged by.
func (r *Reconciler) observe(ctx context.Context, s subject) (runner.Observed, time.Time, error) {
	now := time.Now()
	attempts, err := r.Executor.List(ctx, s.run)
	if err != nil {
		return runner.Observed{}, now, fmt.Errorf("listing the attempts: %w", err)
	}
	return runner.Observed{Attempts: attempts, Blocked: s.blocked}, now, nil
}

// places are those of the environment.
func (r *Reconciler) places(ctx context.Context, env *v1alpha1.TestEnvironment) slots.Places {
	return slots.Places{
		Environment: env.Name,
		Limit:       env.MaxPods(),
		Used:        func() (map[string]int, error) { return r.Executor.Used(ctx, env) },
	}
}

func total(used map[string]int) (n int) {
	for _, of := range used {
		n += of
	}
	return n
}

// prepared is the content of a suite, or why there is none.
type prepared struct {
	digest string
	err    error
}

// prepare packs the content of the suites that may start now: as many as there are free places. While something has to
// be packed the run waits for no place, so that a Git host that takes its time holds up nobody else.
func (r *Reconciler) prepare(ctx context.Context, s subject) (map[string]prepared, error) {
	if s.blocked != nil {
		return nil, nil
	}
	observed, now, err := r.observe(ctx, s)
	if err != nil {
		return nil, err
	}
	used, err := r.Executor.Used(ctx, s.env)
	if err != nil {
		return nil, err
	}
	due := runner.Due(s.run, s.suites, s.env, observed, now)
	contents := map[string]prepared{}
	for _, id := range due[:min(len(due), max(s.env.MaxPods()-total(used), 0))] {
		suite := s.suites[id.Suite]
		if _, known := contents[id.Suite]; known || suite.Name == "" {
			continue
		}
		if !r.Contents.Has(s.repo, s.run.Spec.Commit, suite) {
			r.withdraw(s.run)
		}
		digest, err := r.Contents.Digest(ctx, s.repo, s.run.Spec.Commit, suite)
		contents[id.Suite] = prepared{digest, err}
	}
	return contents, ctx.Err()
}

// startAll starts what is to be started, before the status is written: an attempt enters it when its pod is seen. What an
// attempt is refused for comes back, to be judged.
func (r *Reconciler) startAll(ctx context.Context, s subject, actions []runner.Action, contents map[string]prepared) ([]runner.Refusal, error) {
	var refused []runner.Refusal
	for _, action := range actions {
		if action.Start == nil {
			continue
		}
		id := *action.Start
		if err := r.start(ctx, s, id, contents); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			ctrl.LoggerFrom(ctx).Info("attempt refused", "suite", id.Suite, "attempt", id.Number, "fault", fault.Summary(err))
			refused = append(refused, runner.Refusal{AttemptID: id, Err: err})
		}
	}
	return refused, nil
}

// stopAll stops what is to be stopped, after the status is written: a pod that is gone says nothing any more of why it
// was stopped. One that cannot be stopped keeps nothing else from being done, and is tried again.
func (r *Reconciler) stopAll(ctx context.Context, run *v1alpha1.TestRun, actions []runner.Action) error {
	var failed []error
	for _, action := range actions {
		if action.Stop == nil {
			continue
		}
		if err := r.Executor.Stop(ctx, run, action.Stop.Pod); err != nil {
			failed = append(failed, fmt.Errorf("stopping the pod %q: %w", action.Stop.Pod, err))
		}
	}
	return errors.Join(failed...)
}

func stops(actions []runner.Action) bool {
	return slices.ContainsFunc(actions, func(a runner.Action) bool { return a.Stop != nil })
}

func (r *Reconciler) start(ctx context.Context, s subject, id runner.AttemptID, contents map[string]prepared) error {
	suite := s.suites[id.Suite]
	if err := catalog.CheckPolicy(suite, s.env, s.run.Spec.Cause.Type); err != nil {
		return err
	}
	content, ok := contents[id.Suite]
	if !ok { // a place came free since
		content.digest, content.err = r.Contents.Digest(ctx, s.repo, s.run.Spec.Commit, suite)
	}
	if content.err != nil {
		return content.err
	}
	return r.Executor.Start(ctx, runner.Attempt{
		Run: s.run, ID: id, Suite: suite, Environment: s.env, ContentDigest: content.digest, TestsPath: s.repo.TestsPath(),
	})
}

// wait gives the time of the next look: the earliest that an action or a refusal names, or when a status that was held
// back may be written. All else is brought by the watches.
func wait(actions []runner.Action, refused []runner.Refusal, later time.Duration, now time.Time) ctrl.Result {
	var next time.Time
	earlier := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if later > 0 {
		earlier(now.Add(later))
	}
	passing := false
	for _, refusal := range refused {
		if fault.Of(refusal.Err) != fault.User {
			passing = true
			earlier(now.Add(max(fault.RetryAfter(refusal.Err), 5*time.Second)))
		}
	}
	for _, action := range actions {
		if action.WaitUntil != nil {
			earlier(*action.WaitUntil)
		}
		// A refusal for good made room for it after the others were carried out. What one is refused for now, such
		// as a full quota, the next would be, too.
		if action.Start != nil && len(refused) > 0 && !passing {
			earlier(now)
		}
	}
	if next.IsZero() {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: max(time.Until(next), 100*time.Millisecond)}
}
