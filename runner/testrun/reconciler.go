package testrun

import (
	"context"
	"fmt"
	"sync"
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
)

const (
	// fieldOwner is the field manager of every write.
	fieldOwner = "assay-controller"
	// patience is how long a run waits for a Git host that does not answer before it ends
	// Errored: every commit gets a final status.
	patience = 10 * time.Minute
)

// Reconciler sees TestRuns through.
type Reconciler struct {
	client.Client
	// Live reads from the API server, not from a cache: a pod that was just created must be
	// seen, or it would be taken for lost.
	Live client.Reader
	// Source gives the files of commits, and Catalogs renders them.
	Source   catalogs.Source
	Catalogs *catalogs.Catalogs
	// Contents packs what the pods get.
	Contents *Contents
	// Executor starts and stops attempts.
	Executor runner.Executor
	// Events records how runs end.
	Events events.EventRecorder
	// Retention of what is finished.
	Retention Retention

	// starting is held from counting the free slots of an environment to filling them.
	starting sync.Mutex
}

// Reconcile takes one run a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	run := &v1alpha1.TestRun{}
	if err := r.Live.Get(ctx, req.NamespacedName, run); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !run.DeletionTimestamp.IsZero() {
		return r.cleanUp(ctx, run)
	}
	if run.Status.State.Final() {
		return r.retain(ctx, run, time.Now())
	}
	if err := r.adopt(ctx, run); err != nil {
		return settle(err)
	}
	repo, env, err := r.subjects(ctx, run)
	if err != nil {
		return r.unplannable(ctx, run, err)
	}
	if !meta.IsStatusConditionTrue(run.Status.Conditions, v1alpha1.PlannedCondition) {
		plan, err := r.plan(ctx, run, repo, env)
		if err != nil {
			return r.unplannable(ctx, run, err)
		}
		status := runner.Planned(run, plan.suites, time.Now())
		if plan.nothing != "" {
			status = runner.Nothing(run, plan.nothing, time.Now())
		}
		status.CatalogDiff = plan.diff
		if err := r.write(ctx, run, status); err != nil {
			return settle(err)
		}
	}
	return r.step(ctx, run, repo, env)
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

// unplannable ends a run that can never be planned, and lets one wait that perhaps can, with
// the reason on it.
func (r *Reconciler) unplannable(ctx context.Context, run *v1alpha1.TestRun, err error) (ctrl.Result, error) {
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err()
	}
	if fault.Of(err) == fault.User || time.Since(run.CreationTimestamp.Time) >= patience {
		ctrl.LoggerFrom(ctx).Info("run cannot be planned", "reason", fault.ReasonOf(err), "fault", fault.Summary(err))
		return settle(r.write(ctx, run, runner.Broken(run, err, time.Now())))
	}
	if written := r.write(ctx, run, runner.Waiting(run, err, time.Now())); written != nil {
		return settle(written)
	}
	if after := fault.RetryAfter(err); after > 0 {
		return ctrl.Result{RequeueAfter: after}, nil
	}
	return ctrl.Result{}, fmt.Errorf("planning: %w", err)
}

// write makes the status stand, if it differs. A run that somebody else changed meanwhile is
// a conflict, and is looked at again.
func (r *Reconciler) write(ctx context.Context, run *v1alpha1.TestRun, status v1alpha1.TestRunStatus) error {
	if equality.Semantic.DeepEqual(run.Status, status) {
		return nil
	}
	before := run.DeepCopy()
	run.Status = status
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Status().Patch(ctx, run, patch, client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	if status.State.Final() && !before.Status.State.Final() {
		r.tellEnd(ctx, run)
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
