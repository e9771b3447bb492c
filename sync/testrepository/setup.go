package testrepository

import (
	"context"
	"fmt"

	fluxctrl "github.com/fluxcd/pkg/runtime/controller"
	"github.com/fluxcd/pkg/runtime/predicates"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/fairqueue"
)

// Options of the controller.
type Options struct {
	// Concurrent is how many repositories are polled at the same time. Default: 32.
	Concurrent int
	// RateLimiter is the back-off of repositories whose host does not answer.
	RateLimiter fluxctrl.RateLimiterOptions
}

// SetupWithManager registers the reconciler. An environment that was missing is news, too.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, o Options) error {
	if o.Concurrent == 0 {
		o.Concurrent = 32
	}
	indexer := mgr.GetFieldIndexer()
	for name, values := range Indices() {
		if err := indexer.IndexField(context.Background(), &v1alpha1.TestRepository{}, name, values); err != nil {
			return fmt.Errorf("indexing TestRepositories by %s: %w", name, err)
		}
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("testrepository").
		For(&v1alpha1.TestRepository{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		Watches(&v1alpha1.TestEnvironment{}, handler.EnqueueRequestsFromMapFunc(r.waitingFor),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: o.Concurrent, NewQueue: fairqueue.Requests, RateLimiter: fluxctrl.GetRateLimiter(o.RateLimiter),
		}).
		Complete(r)
}
