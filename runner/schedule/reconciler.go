package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/patch"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/fairqueue"
	"github.com/assay-dev/assay/runner/proof"
)

const (
	fieldOwner = "assay-controller"
	// concurrent is how many repositories are looked at at the same time: more than may wait
	// for one Git host.
	concurrent = 32
	// deadline is how late a missed time is still made up for; later ones are dropped.
	deadline = time.Hour
	// retry is when to look again at a catalog that could not be rendered because the host
	// did not answer.
	retry = time.Minute
)

// Reconciler creates scheduled runs.
type Reconciler struct {
	client.Client
	// Catalogs renders the default branch.
	Catalogs *catalogs.Catalogs
	// Key signs the runs that are made, and knows them again.
	Key *proof.Key
	// Events records what was left out.
	Events events.EventRecorder
	// Now is the clock. Required.
	Now func() time.Time
}

// SetupWithManager registers the reconciler: it looks when the default branch moves, when an
// environment changes, and at every scheduled time.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	moved := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.TestRepository)
		after, ok2 := e.ObjectNew.(*v1alpha1.TestRepository)
		return ok && ok2 && before.Status.DefaultCommit != after.Status.DefaultCommit
	}}
	return ctrl.NewControllerManagedBy(mgr).
		Named("schedule").
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent, NewQueue: fairqueue.Requests}).
		For(&v1alpha1.TestRepository{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, moved))).
		Watches(&v1alpha1.TestEnvironment{}, handler.EnqueueRequestsFromMapFunc(r.repositoriesOf),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}

// repositoriesOf are those that name the environment.
func (r *Reconciler) repositoriesOf(ctx context.Context, environment client.Object) []reconcile.Request {
	var all v1alpha1.TestRepositoryList
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing TestRepositories")
		return nil
	}
	var requests []reconcile.Request
	for i := range all.Items {
		if _, named := all.Items[i].OverlayFor(environment.GetName()); named {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}

// Reconcile creates the runs that are due for one repository, and waits for the next. A look that
// finds nothing new writes nothing.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	repo := &v1alpha1.TestRepository{}
	if err := r.Get(ctx, req.NamespacedName, repo); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !repo.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	patcher := patch.NewSerialPatcher(repo, r.Client)
	if repo.Spec.Suspend {
		suspend(repo)
		return ctrl.Result{}, r.write(ctx, patcher, repo)
	}
	if repo.Status.DefaultCommit == "" {
		return ctrl.Result{}, nil
	}
	if conditions.IsStalled(repo) { // nobody would be told how its runs end
		stall(repo)
		if err := r.write(ctx, patcher, repo); err != nil {
			return ctrl.Result{}, err
		}
		return ctrl.Result{RequeueAfter: retry}, nil
	}
	opened, err := r.open(ctx, repo)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.Now()
	var looks []*look
	for _, environment := range repo.Spec.Environments {
		looks = append(looks, r.lookAt(ctx, repo, environment.Name, opened[environment.Name], now))
	}
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err()
	}
	again, failed := conclude(repo, looks)
	if err := errors.Join(failed, r.write(ctx, patcher, repo)); err != nil {
		return ctrl.Result{}, err
	}
	if again.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(again.Sub(r.Now()), 100*time.Millisecond)}, nil
}

// write records what was found, after the runs exist.
func (r *Reconciler) write(ctx context.Context, patcher *patch.SerialPatcher, repo *v1alpha1.TestRepository) error {
	err := patcher.Patch(ctx, repo,
		patch.WithOwnedConditions{Conditions: []string{v1alpha1.ScheduledCondition}},
		patch.WithFieldOwner(fieldOwner))
	return kerrors.FilterOut(err, apierrors.IsNotFound) // it is several errors in one
}
