package testsuite

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/runtime/predicates"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/fairqueue"
)

// Options of the controller.
type Options struct {
	// Concurrent is how many repositories are looked at at the same time. Default: 32.
	Concurrent int
}

// ownerIndex finds the TestSuites that a TestRepository owns, whatever became of their labels.
const ownerIndex = "controller-uid"

// SetupWithManager registers the reconciler: it looks at a repository when its branches move,
// when somebody touches a TestSuite of its, and when a run of its ends.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if o.Concurrent == 0 {
		o.Concurrent = 32
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.TestSuite{}, ownerIndex, ownerUID); err != nil {
		return fmt.Errorf("indexing TestSuites: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("testsuite").
		For(&v1alpha1.TestRepository{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}, headsMoved()))).
		Owns(&v1alpha1.TestSuite{}, builder.WithPredicates(touched())).
		Watches(&v1alpha1.TestRun{}, handler.EnqueueRequestsFromMapFunc(repositoryOf), builder.WithPredicates(ended())).
		WithOptions(controller.Options{MaxConcurrentReconciles: o.Concurrent, NewQueue: fairqueue.Requests}).
		Complete(r)
}

func ownerUID(object client.Object) []string {
	if owner := metav1.GetControllerOf(object); owner != nil {
		return []string{string(owner.UID)}
	}
	return nil
}

func headsMoved() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.TestRepository)
		after, ok2 := e.ObjectNew.(*v1alpha1.TestRepository)
		return ok && ok2 && (before.Status.DefaultBranch != after.Status.DefaultBranch ||
			!equality.Semantic.DeepEqual(before.Status.Heads, after.Status.Heads))
	}}
}

// touched leaves out changes of the status, which are our own.
func touched() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld, e.ObjectNew
		return before.GetGeneration() != after.GetGeneration() ||
			!equality.Semantic.DeepEqual(before.GetLabels(), after.GetLabels()) ||
			!equality.Semantic.DeepEqual(before.GetAnnotations(), after.GetAnnotations()) ||
			!equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	}}
}

// ended lets runs through that are final, once.
func ended() predicate.Predicate {
	final := func(object client.Object) bool {
		run, ok := object.(*v1alpha1.TestRun)
		return ok && run.Status.State.Final()
	}
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return final(e.Object) },
		UpdateFunc:  func(e event.UpdateEvent) bool { return final(e.ObjectNew) && !final(e.ObjectOld) },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func repositoryOf(_ context.Context, object client.Object) []reconcile.Request {
	run, ok := object.(*v1alpha1.TestRun)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.RepositoryRef.Name}}}
}
