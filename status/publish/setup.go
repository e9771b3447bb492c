package publish

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/fairqueue"
	"github.com/assay-dev/assay/runner/runs"
)

// name of the controller.
const name = "publish"

// Options of SetupWithManager. The zero value is ready.
type Options struct {
	// Workers that publish at the same time, each for another repository. Zero: 4.
	Workers int
	// FirstRetry and LastRetry bound the exponential back-off. Zero: 1 s and 5 min.
	FirstRetry, LastRetry time.Duration
}

// SetupWithManager runs the reconciler for the subjects of all TestRuns, and of pull requests
// that move. Client, Events and
// Now are the manager's, and the system's clock, where they are nil.
func (r *Reconciler) SetupWithManager(m manager.Manager, options Options) error {
	if r.Client == nil {
		r.Client = m.GetClient()
	}
	if r.Events == nil {
		r.Events = m.GetEventRecorder("assay-" + name)
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if options.Workers <= 0 {
		options.Workers = 4
	}
	if options.FirstRetry <= 0 {
		options.FirstRetry = time.Second
	}
	if options.LastRetry <= 0 {
		options.LastRetry = 5 * time.Minute
	}
	logger := m.GetLogger().WithValues("controller", name)
	return builder.TypedControllerManagedBy[Subject](m).
		Named(name).
		Watches(&v1alpha1.TestRun{}, handler.TypedEnqueueRequestsFromMapFunc(r.subjects),
			builder.WithPredicates(changed())).
		Watches(&v1alpha1.TestRepository{}, heads()).
		WithOptions(controller.TypedOptions[Subject]{
			MaxConcurrentReconciles: options.Workers,
			NewQueue:                fairqueue.New(func(s Subject) string { return s.Namespace }),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[Subject](options.FirstRetry, options.LastRetry),
		}).
		WithLogConstructor(func(s *Subject) logr.Logger {
			if s == nil {
				return logger
			}
			return logger.WithValues("namespace", s.Namespace, "repository", s.Repository, "commit", s.Commit, "pullRequest", s.PullRequest)
		}).
		Complete(r)
}

// subjects maps a TestRun to what is said because of it.
func (r *Reconciler) subjects(ctx context.Context, o client.Object) []Subject {
	run, ok := o.(*v1alpha1.TestRun)
	if !ok {
		return nil
	}
	if !run.Spec.Cause.Type.Rules().Renews {
		return about(run, nil)
	}
	var all v1alpha1.TestRunList
	if err := r.Client.List(ctx, &all, runs.OfRepository(run.Namespace, run.Spec.RepositoryRef.Name)); err != nil {
		log.FromContext(ctx).Error(err, "listing the runs that a run may renew", "run", client.ObjectKeyFromObject(run))
	}
	return about(run, all.Items)
}

// heads asks for the pull requests whose commit changed. When the controller starts, all
// subjects are looked at anyway, because of their runs.
func heads() handler.TypedEventHandler[client.Object, Subject] {
	return handler.TypedFuncs[client.Object, Subject]{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[Subject]) {
			was, okOld := e.ObjectOld.(*v1alpha1.TestRepository)
			is, okNew := e.ObjectNew.(*v1alpha1.TestRepository)
			if !okOld || !okNew {
				return
			}
			for _, subject := range moved(was, is) {
				queue.Add(subject)
			}
		},
	}
}
