package testrun

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
)

// step observes a planned run, asks what happens next, and does it.
func (r *Reconciler) step(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) (ctrl.Result, error) {
	suites, err := r.suites(ctx, run, repo, env)
	if err != nil {
		return r.unplannable(ctx, run, err)
	}
	observed, err := r.observe(ctx, run, repo)
	if err != nil {
		return ctrl.Result{}, err
	}
	contents := r.prepare(ctx, run, repo, suites)
	r.starting.Lock()
	defer r.starting.Unlock()
	if observed.Slots, err = r.freeSlots(ctx, env); err != nil {
		return ctrl.Result{}, err
	}
	status, actions := runner.Next(run, suites, env, observed, time.Now())
	refused, err := r.carryOut(ctx, run, actions, func(id runner.AttemptID) error {
		if err := contents[id.Suite].err; err != nil {
			return err
		}
		attempt := runner.Attempt{Run: run, ID: id, Suite: suites[id.Suite], Environment: env, TestsPath: repo.TestsPath()}
		attempt.ContentDigest = contents[id.Suite].digest
		return r.start(ctx, attempt)
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(refused) > 0 {
		observed.Refused = refused
		status, actions = runner.Next(run, suites, env, observed, time.Now())
	}
	if err := r.write(ctx, run, status); err != nil {
		return settle(err)
	}
	return wait(actions, refused, time.Now()), nil
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

func (r *Reconciler) observe(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository) (runner.Observed, error) {
	attempts, err := r.Executor.List(ctx, run)
	if err != nil {
		return runner.Observed{}, fmt.Errorf("listing the attempts: %w", err)
	}
	superseded, err := r.superseded(ctx, run, repo)
	if err != nil {
		return runner.Observed{}, err
	}
	return runner.Observed{Attempts: attempts, Superseded: superseded}, nil
}

// freeSlots counts what runs in the environment, whoever's it is. A suspended environment has
// no room.
func (r *Reconciler) freeSlots(ctx context.Context, env *v1alpha1.TestEnvironment) (int, error) {
	if env.Spec.Suspend {
		return 0, nil
	}
	var pods corev1.PodList
	err := r.Live.List(ctx, &pods, client.InNamespace(env.Spec.Namespace), client.MatchingLabels{
		v1alpha1.ManagedByLabel: v1alpha1.ManagedBy, v1alpha1.EnvironmentLabel: env.Name})
	if err != nil {
		return 0, fmt.Errorf("counting the pods of the environment %q: %w", env.Name, err)
	}
	free := int(env.Spec.Limits.Pods)
	if free == 0 {
		free = 10
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			free--
		}
	}
	return max(free, 0), nil
}

// prepared is the content of a suite, or why there is none.
type prepared struct {
	digest string
	err    error
}

// prepare packs the content of the suites that may start now. Fetching may take as long as the
// Git host likes, so it is done before anything is locked that other runs need.
func (r *Reconciler) prepare(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, suites map[string]catalog.Suite) map[string]prepared {
	contents := map[string]prepared{}
	ended := map[string]bool{}
	for _, suite := range run.Status.Suites {
		ended[suite.Name] = suite.State.Final()
	}
	for name, suite := range suites {
		if !ended[name] {
			digest, err := r.Contents.Digest(ctx, repo, run.Spec.Commit, suite)
			contents[name] = prepared{digest, err}
		}
	}
	return contents
}

// carryOut does the actions. What an attempt is refused for comes back, to be judged.
func (r *Reconciler) carryOut(ctx context.Context, run *v1alpha1.TestRun, actions []runner.Action, start func(runner.AttemptID) error) ([]runner.Refusal, error) {
	var refused []runner.Refusal
	for _, action := range actions {
		switch {
		case action.Stop != nil:
			if err := r.Executor.Stop(ctx, run, action.Stop.Pod); err != nil {
				return nil, fmt.Errorf("stopping the pod %q: %w", action.Stop.Pod, err)
			}
		case action.Start != nil:
			if err := start(*action.Start); err != nil {
				ctrl.LoggerFrom(ctx).Info("attempt refused", "suite", action.Start.Suite, "attempt", action.Start.Number, "fault", fault.Summary(err))
				refused = append(refused, runner.Refusal{AttemptID: *action.Start, Err: err})
			}
		}
	}
	return refused, nil
}

func (r *Reconciler) start(ctx context.Context, attempt runner.Attempt) error {
	if err := catalog.CheckPolicy(attempt.Suite, attempt.Environment); err != nil {
		return err
	}
	return r.Executor.Start(ctx, attempt)
}

// wait gives the time of the next look: the earliest that an action or a refusal names. All
// else is brought by the watches.
func wait(actions []runner.Action, refused []runner.Refusal, now time.Time) ctrl.Result {
	var next time.Time
	for _, action := range actions {
		if at := action.WaitUntil; at != nil && (next.IsZero() || at.Before(next)) {
			next = *at
		}
		if action.Start != nil && len(refused) > 0 {
			next = now // the refusal made room for it after the others were carried out
		}
	}
	for _, refusal := range refused {
		if fault.Of(refusal.Err) == fault.User {
			continue
		}
		at := now.Add(max(fault.RetryAfter(refusal.Err), 5*time.Second))
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: max(next.Sub(now), 100*time.Millisecond)}
}
