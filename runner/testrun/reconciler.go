package testrun

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/slots"
)

// fieldOwner is the field manager of every write.
const fieldOwner = "assay-controller"

// Admission says which commits may be tested. It is safe for concurrent use.
type Admission interface {
	// Reachable is nil for a commit that was pushed by who may; the fault is CommitNotReachable.
	// Others say that it could not be found out.
	Reachable(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error
}

// Reconciler sees TestRuns through.
type Reconciler struct {
	// Client may read from a cache.
	client.Client
	// Source gives the files of commits, and Catalogs renders them.
	Source   catalogs.Source
	Catalogs *catalogs.Catalogs
	// Admission says which commits may be tested for whoever asks.
	Admission Admission
	// Contents packs what the pods get.
	Contents *Contents
	// Executor starts and stops attempts, and Slots says how many.
	Executor runner.Executor
	Slots    *slots.Table
	// Key knows the runs that the controller made.
	Key *proof.Key
	// Events records how runs end.
	Events events.EventRecorder
	// Retention of what is finished.
	Retention Retention

	written written
	// look has another run looked at, once the reconciler is set up.
	look func(types.NamespacedName)
}

// Reconcile takes one run a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	run := &v1alpha1.TestRun{}
	if err := r.Get(ctx, req.NamespacedName, run); err != nil {
		if apierrors.IsNotFound(err) {
			r.written.forget(req.NamespacedName)
			r.Slots.Withdraw(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if run.Status.State.Final() { // nothing that is written after it is of consequence
		r.written.forget(req.NamespacedName)
	}
	run = r.written.newer(req.NamespacedName, run)
	defer r.wake(ctx, run)
	if !run.DeletionTimestamp.IsZero() {
		r.withdraw(run)
		return r.cleanUp(ctx, run)
	}
	if run.Status.State.Final() {
		return r.finish(ctx, run)
	}
	if !r.Key.IsRun(run) {
		return r.hindered(ctx, run, notProved(run))
	}
	if err := r.adopt(ctx, run); err != nil {
		return settle(err)
	}
	return r.advance(ctx, run)
}

// notProved is for a run of a cause that is the controller's own, which it did not make, or not so. Nothing of it is
// believed.
func notProved(run *v1alpha1.TestRun) error {
	return fault.New(fault.CauseNotProved, fault.Place{Field: "spec.cause.type"},
		"ask for a run with cause API, as assay run does; or have heads tested again by the annotation "+v1alpha1.ReconcileRequestAnnotation+" of the TestRepository",
		"runs of cause %s are made by the controller alone, and this one it did not make", run.Spec.Cause.Type)
}

// advance takes a run that is not final further, or ends it.
func (r *Reconciler) advance(ctx context.Context, run *v1alpha1.TestRun) (ctrl.Result, error) {
	superseded, err := r.superseded(ctx, run)
	if err != nil {
		return ctrl.Result{}, err
	}
	if superseded || run.Spec.Cancel { // whatever it waits for
		return r.conclude(ctx, run, superseded)
	}
	repo, env, err := r.subjects(ctx, run)
	if err != nil {
		return r.hindered(ctx, run, err)
	}
	if !meta.IsStatusConditionTrue(run.Status.Conditions, v1alpha1.PlannedCondition) {
		plan, err := r.plan(ctx, run, repo, env)
		if err != nil {
			return r.hindered(ctx, run, err)
		}
		status := runner.Planned(run, plan.suites, time.Now())
		if plan.nothing != "" {
			status = runner.Nothing(run, plan.nothing, time.Now())
		}
		status.CatalogDiff = plan.diff
		if _, err := r.write(ctx, run, status, true); err != nil {
			return settle(err)
		}
	}
	return r.step(ctx, run, repo, env)
}

// finish stops what is left of a run that is final, and removes what has outlived its time.
func (r *Reconciler) finish(ctx context.Context, run *v1alpha1.TestRun) (ctrl.Result, error) {
	if err := r.label(ctx, run); err != nil {
		return settle(err)
	}
	again, err := r.conclude(ctx, run, false)
	if err != nil {
		return again, err
	}
	kept, err := r.retain(ctx, run, time.Now())
	if err != nil {
		return ctrl.Result{}, err
	}
	if again.RequeueAfter > 0 && (kept.RequeueAfter == 0 || again.RequeueAfter < kept.RequeueAfter) {
		kept.RequeueAfter = again.RequeueAfter
	}
	return kept, nil
}

// wake has those looked at that would get a place now: the run may have left some, or waits no more.
func (r *Reconciler) wake(ctx context.Context, run *v1alpha1.TestRun) {
	for _, next := range r.next(ctx, run.Spec.Environment) {
		if next != client.ObjectKeyFromObject(run) && r.look != nil {
			r.look(next)
		}
	}
}

// next gives the runs that would get a place of the environment now.
func (r *Reconciler) next(ctx context.Context, environment string) []types.NamespacedName {
	next, err := r.Slots.Next(environment, func() (map[string]int, error) {
		env := &v1alpha1.TestEnvironment{}
		if err := r.Get(ctx, types.NamespacedName{Name: environment}, env); err != nil {
			return nil, err
		}
		return r.Executor.Used(ctx, env)
	})
	if client.IgnoreNotFound(err) != nil {
		ctrl.LoggerFrom(ctx).Error(err, "finding the runs that wait for a place", "environment", environment)
	}
	return next
}

// withdraw lets the run wait for no place.
func (r *Reconciler) withdraw(run *v1alpha1.TestRun) {
	r.Slots.Withdraw(client.ObjectKeyFromObject(run))
}

// adopt adds the finalizer, and the labels that a run which somebody created by hand lacks.
func (r *Reconciler) adopt(ctx context.Context, run *v1alpha1.TestRun) error {
	changed := controllerutil.AddFinalizer(run, v1alpha1.RunFinalizer)
	for label, value := range runner.RunLabels(run.Spec.RepositoryRef.Name, run.Spec) {
		if run.Labels[label] != value {
			metav1.SetMetaDataLabel(&run.ObjectMeta, label, value)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	// The API server tracks the owners of fields of an object that has some, and of none that has none: with an entry for
	// each field of each suite, they take more room and time than the status. One empty entry removes them, and
	// nobody but us writes to a run that is under way.
	run.ManagedFields = []metav1.ManagedFieldsEntry{{}}
	return r.Update(ctx, run, client.FieldOwner(fieldOwner))
}

// subjects gives the repository and the environment of the run, and checks that the one is
// admitted to the other.
func (r *Reconciler) subjects(ctx context.Context, run *v1alpha1.TestRun) (*v1alpha1.TestRepository, *v1alpha1.TestEnvironment, error) {
	repo := &v1alpha1.TestRepository{}
	key := types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.RepositoryRef.Name}
	if err := r.Get(ctx, key, repo); apierrors.IsNotFound(err) {
		return nil, nil, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.repositoryRef.name"}, "create it, or name another", "there is no TestRepository %q", key)
	} else if err != nil {
		return nil, nil, fmt.Errorf("reading the TestRepository %q: %w", key, err)
	}
	env := &v1alpha1.TestEnvironment{}
	err := r.Get(ctx, types.NamespacedName{Name: run.Spec.Environment}, env)
	if apierrors.IsNotFound(err) {
		env = nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("reading the TestEnvironment %q: %w", run.Spec.Environment, err)
	}
	if err := runner.Admitted(repo, run.Spec.Environment, env); err != nil {
		return nil, nil, err
	}
	return repo, env, nil
}

// hindered ends a run that can never be planned or go on, with its pods, and lets one wait that perhaps can, with the
// reason on it.
func (r *Reconciler) hindered(ctx context.Context, run *v1alpha1.TestRun, err error) (ctrl.Result, error) {
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err()
	}
	r.withdraw(run)
	if _, written := r.write(ctx, run, runner.Hindered(run, err, time.Now()), false); written != nil {
		return settle(written)
	}
	if run.Status.State.Final() {
		return r.finish(ctx, run)
	}
	if after := fault.RetryAfter(err); after > 0 {
		return ctrl.Result{RequeueAfter: after}, nil
	}
	return ctrl.Result{}, fmt.Errorf("the run cannot go on: %w", err)
}

// write makes the status stand, if it differs, within its budget. One that says nothing which cannot wait is held back
// while others like it were written a moment ago, unless it is urgent; later says how long then. A run that somebody else changed meanwhile
// is a conflict, and is looked at again.
func (r *Reconciler) write(ctx context.Context, run *v1alpha1.TestRun, status v1alpha1.TestRunStatus, urgent bool) (later time.Duration, err error) {
	if equality.Semantic.DeepEqual(run.Status, status) {
		return 0, nil
	}
	key, now := client.ObjectKeyFromObject(run), time.Now()
	if pause := r.written.pause(key, now); pause > 0 && !urgent && !runner.Urgent(run.Status, status) {
		return pause, nil
	}
	status, bytes := runner.Fit(status)
	if equality.Semantic.DeepEqual(run.Status, status) { // it said more than fits
		return 0, nil
	}
	before := run.DeepCopy()
	run.Status = status
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Status().Patch(ctx, run, patch, client.FieldOwner(fieldOwner)); err != nil {
		return 0, fmt.Errorf("writing the status: %w", err)
	}
	r.written.note(key, run, bytes, now)
	if status.State.Final() && !before.Status.State.Final() {
		r.tellEnd(ctx, run)
	}
	return 0, r.label(ctx, run)
}

// label has the run found by its state. It is made up for at the next look, where it could not be done.
func (r *Reconciler) label(ctx context.Context, run *v1alpha1.TestRun) error {
	state := string(run.Status.State)
	if run.Labels[v1alpha1.StateLabel] == state {
		return nil
	}
	before := run.DeepCopy()
	metav1.SetMetaDataLabel(&run.ObjectMeta, v1alpha1.StateLabel, state)
	if err := r.Patch(ctx, run, client.MergeFrom(before), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("labelling the run: %w", err)
	}
	if !run.Status.State.Final() {
		r.written.note(client.ObjectKeyFromObject(run), run, 0, time.Now())
	}
	return nil
}

// settle turns what came of a write into a result. Somebody else wrote at the same time: the
// run is looked at again at once, since no watch may tell of that write. It went away: nothing
// is left to do.
func settle(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: 50 * time.Millisecond}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}
