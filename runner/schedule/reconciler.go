package schedule

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
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
	// Now is the clock. Required.
	Now func() time.Time

	// looked is when each repository was last looked at by this process, in every environment.
	// What happened before is in status.lastScheduleTime.
	looked sync.Map // types.NamespacedName -> time.Time
}

// SetupWithManager registers the reconciler: it looks when the default branch moves, and at
// every scheduled time.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	moved := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.TestRepository)
		after, ok2 := e.ObjectNew.(*v1alpha1.TestRepository)
		return ok && ok2 && before.Status.DefaultCommit != after.Status.DefaultCommit
	}}
	return ctrl.NewControllerManagedBy(mgr).
		Named("schedule").
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent}).
		For(&v1alpha1.TestRepository{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, moved))).
		Complete(r)
}

// Reconcile creates the runs that are due for one repository, and waits for the next.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	repo := &v1alpha1.TestRepository{}
	if err := r.Get(ctx, req.NamespacedName, repo); err != nil {
		r.looked.Delete(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if repo.Spec.Suspend || !repo.DeletionTimestamp.IsZero() || repo.Status.DefaultCommit == "" {
		return ctrl.Result{}, nil
	}
	now := r.Now()
	due, err := r.createDue(ctx, repo, r.since(repo, now), now)
	if err != nil {
		return ctrl.Result{}, err
	}
	if due.unseen {
		// Its times are still to come; those of the others have their runs.
		due.next = earlier(due.next, now.Add(retry))
	} else {
		if err := r.remember(ctx, repo, due.latest); err != nil {
			return ctrl.Result{}, err
		}
		r.looked.Store(req.NamespacedName, now)
	}
	if due.next.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(due.next.Sub(r.Now()), 100*time.Millisecond)}, nil
}

// since is the time from which on scheduled times count.
func (r *Reconciler) since(repo *v1alpha1.TestRepository, now time.Time) time.Time {
	since := later(now.Add(-deadline), repo.CreationTimestamp.Time)
	if looked, ok := r.looked.Load(types.NamespacedName{Namespace: repo.Namespace, Name: repo.Name}); ok {
		return later(since, looked.(time.Time))
	}
	if last := repo.Status.LastScheduleTime; last != nil {
		return later(since, last.Time)
	}
	return since
}

// due is what a look at a repository found.
type due struct {
	// latest time that has its runs, and the next to come; zero when there is none.
	latest, next time.Time
	// unseen says that the host did not give the catalog of some environment.
	unseen bool
}

// createDue creates what is due in every environment. An environment whose catalog is broken
// has its fault on the run of the commit that broke it; the others go on.
func (r *Reconciler) createDue(ctx context.Context, repo *v1alpha1.TestRepository, since, now time.Time) (found due, err error) {
	for _, environment := range repo.Spec.Environments {
		rendered, err := r.Catalogs.Verified(ctx, repo, repo.Status.DefaultCommit, environment.Name)
		if err != nil {
			ctrl.LoggerFrom(ctx).V(1).Info("no schedules", "environment", environment.Name, "fault", fault.Summary(err))
			found.unseen = found.unseen || fault.Of(err) != fault.User
			if reason := fault.ReasonOf(err); reason == fault.SignatureInvalid || reason == fault.SecretInvalid {
				found.next = earlier(found.next, now.Add(retry)) // Secrets are not watched
			}
			continue
		}
		seed := repo.Namespace + "/" + repo.Name + "/" + environment.Name
		suites, err := catalog.Due(rendered, seed, since, now)
		if err != nil {
			return due{}, err
		}
		for _, scheduled := range suites {
			if err := r.create(ctx, repo, environment.Name, scheduled); err != nil {
				return due{}, err
			}
			found.latest = later(found.latest, scheduled.Time)
		}
		upcoming, err := catalog.NextDue(rendered, seed, now)
		if err != nil {
			return due{}, err
		}
		found.next = earlier(found.next, upcoming)
	}
	return found, nil
}

func (r *Reconciler) create(ctx context.Context, repo *v1alpha1.TestRepository, environment string, scheduled catalog.Scheduled) error {
	at := metav1.NewTime(scheduled.Time)
	run := runner.NewRun(repo, v1alpha1.TestRunSpec{
		Environment: environment,
		Commit:      repo.Status.DefaultCommit,
		Branch:      repo.Status.DefaultBranch,
		Cause:       v1alpha1.Cause{Type: v1alpha1.CauseSchedule, ScheduledTime: &at},
		Suites:      []string{scheduled.Suite},
	}, scheduled.Suite)
	err := r.Create(ctx, run, client.FieldOwner(fieldOwner))
	if apierrors.IsAlreadyExists(err) {
		return nil // by a controller that was killed before it could remember
	}
	if err != nil {
		return fmt.Errorf("creating the run %q: %w", run.Name, err)
	}
	ctrl.LoggerFrom(ctx).Info("created scheduled run", "run", run.Name, "suite", scheduled.Suite, "environment", environment, "time", scheduled.Time)
	return nil
}

// remember records the latest time that has its runs, after they exist.
func (r *Reconciler) remember(ctx context.Context, repo *v1alpha1.TestRepository, latest time.Time) error {
	if latest.IsZero() || (repo.Status.LastScheduleTime != nil && !repo.Status.LastScheduleTime.Time.Before(latest)) {
		return nil
	}
	before := repo.DeepCopy()
	at := metav1.NewTime(latest)
	repo.Status.LastScheduleTime = &at
	err := r.Status().Patch(ctx, repo, client.MergeFrom(before), client.FieldOwner(fieldOwner))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("recording the last scheduled time of %q: %w", repo.Name, err)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
