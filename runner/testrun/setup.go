package testrun

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/fairqueue"
	"github.com/assay-dev/assay/runner/runs"
)

// Options of the controller.
type Options struct {
	// Concurrent is how many runs are looked at at the same time. Default: 32.
	Concurrent int
}

// SetupWithManager registers the reconciler. Beside its own run, a pod that ends frees a slot
// for others, and a new run may supersede older ones: those are looked at too.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, o Options) error {
	if o.Concurrent == 0 {
		o.Concurrent = 32
	}
	// Other runs come through the same queue as events do.
	queue := source.Func(func(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		r.look = func(run types.NamespacedName) { q.Add(reconcile.Request{NamespacedName: run}) }
		return nil
	})
	return ctrl.NewControllerManagedBy(mgr).
		Named("testrun").
		WatchesRawSource(queue).
		For(&v1alpha1.TestRun{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, stateChanged()))).
		Watches(&v1alpha1.TestRun{}, handler.EnqueueRequestsFromMapFunc(r.siblings), builder.WithPredicates(createdOnly())).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(r.runsOfPod)).
		Watches(&v1alpha1.TestEnvironment{}, handler.EnqueueRequestsFromMapFunc(r.runsOfEnvironment), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: o.Concurrent, NewQueue: fairqueue.Requests}).
		Complete(r)
}

// stateChanged lets those changes through that ask for something: what is written beside, such
// as what was published, does not.
func stateChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.TestRun)
		after, ok2 := e.ObjectNew.(*v1alpha1.TestRun)
		return ok && ok2 && (before.Status.State != after.Status.State || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero())
	}}
}

func createdOnly() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// siblings are the live runs of the same repository and environment as a new one.
func (r *Reconciler) siblings(ctx context.Context, obj client.Object) []reconcile.Request {
	run, ok := obj.(*v1alpha1.TestRun)
	if !ok {
		return nil
	}
	return r.live(ctx, run.Spec.Environment, func(other *v1alpha1.TestRun) bool {
		return other.Namespace == run.Namespace && other.Spec.RepositoryRef == run.Spec.RepositoryRef
	})
}

// runsOfPod is the pod's own run and those that would get a place now: the pod may have ended or gone away, and one that
// never had a node is gone without a phase that says so.
func (r *Reconciler) runsOfPod(ctx context.Context, obj client.Object) []reconcile.Request {
	labels := obj.GetLabels()
	own := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: labels[v1alpha1.RunNamespaceLabel], Name: labels[v1alpha1.RunLabel]}}
	if own.Name == "" {
		return nil
	}
	requests := []reconcile.Request{own}
	for _, next := range r.next(ctx, labels[v1alpha1.EnvironmentLabel]) {
		requests = append(requests, reconcile.Request{NamespacedName: next})
	}
	return requests
}

func (r *Reconciler) runsOfEnvironment(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.live(ctx, obj.GetName(), everyRun)
}

func everyRun(*v1alpha1.TestRun) bool { return true }

// live gives the runs in the environment that are not final and that are wanted.
func (r *Reconciler) live(ctx context.Context, environment string, wanted func(*v1alpha1.TestRun) bool) []reconcile.Request {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.Live(environment)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing runs")
		return nil
	}
	var requests []reconcile.Request
	for i := range all.Items {
		if wanted(&all.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}
