package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
)

// look is one look at the schedules of an environment.
type look struct {
	repo        *v1alpha1.TestRepository
	environment string
	// before is what the last look left in the status; nil where nothing was in force.
	before *v1alpha1.ScheduleStatus
	now    time.Time

	// catalog of the default branch, and how many suites of it have schedules.
	catalog catalog.Catalog
	suites  int
	// suspended says that the environment is; busy, that the host was not even asked.
	suspended, busy bool
	// after is what to remember; nil where nothing is in force.
	after *v1alpha1.ScheduleStatus
	// latest time that has its run, the next to come, and when to look again before that.
	latest, next, again time.Time
	// skipped is the last time that was left out, nil where there is none.
	skipped *metav1.Time
	// faults are why schedules are not carried out, for the condition.
	faults []error
	// failed are errors of the API server: it is all tried again.
	failed error
}

// lookAt deals with the times of one environment that have come.
// here are the scheduled runs that are open there.
func (r *Reconciler) lookAt(ctx context.Context, repo *v1alpha1.TestRepository, environment string,
	here *open, now time.Time,
) *look {
	l := &look{repo: repo, environment: environment, before: statusOf(repo, environment), now: now}
	l.after = l.before
	var err error
	if l.catalog, err = r.Catalogs.Verified(ctx, repo, repo.Status.DefaultCommit, environment); err != nil {
		l.unseen(err)
		return l
	}
	if l.suites = catalog.ScheduledSuites(l.catalog); l.suites == 0 {
		l.after = nil
		return l
	}
	if l.suspended, err = r.admitted(ctx, repo, environment); err != nil || l.suspended {
		l.refused(err)
		return l
	}
	before, err := r.known(ctx, l)
	if err != nil {
		l.unseen(err)
		return l
	}
	due, err := catalog.Due(before, l.seed(), l.since(), now)
	l.fault(err)
	for _, at := range byTime(due) {
		l.failed = errors.Join(l.failed, r.start(ctx, l, at, here))
	}
	l.next, err = catalog.NextDue(l.catalog, l.seed(), now)
	if len(l.faults) == 0 {
		l.fault(err)
	}
	l.remember(len(due) > 0)
	return l
}

// unseen is for a catalog that cannot be had. Its times are still to come, so what is remembered
// stands; the condition says why, where anything is known to be scheduled.
func (l *look) unseen(err error) {
	reason := fault.ReasonOf(err)
	if reason == fault.CatalogNotFound { // nothing is scheduled where there is nothing
		l.after = nil
		return
	}
	if fault.Of(err) != fault.User || slices.Contains(outside, reason) {
		l.again = l.now.Add(retry)
	}
	if l.busy = reason == fault.HostBusy; !l.busy && l.before != nil {
		l.fault(fault.Here(err))
	}
}

// outside are faults of users that may be mended without a commit, which nobody tells of.
var outside = []fault.Reason{
	fault.SignatureInvalid, fault.SecretInvalid, fault.AuthenticationFailed, fault.HostNotTrusted,
	fault.RepositoryNotFound, fault.RefNotFound,
}

// refused is for an environment that does not let its schedules run. They count anew once it does.
func (l *look) refused(err error) {
	if err != nil && fault.Of(err) != fault.User {
		l.failed = err
		return
	}
	l.after = nil
	l.fault(fault.Here(err))
}

// fault notes why something is not carried out, and where.
func (l *look) fault(err error) {
	for _, f := range fault.All(err) {
		of := *f
		of.Message = fmt.Sprintf("in the environment %q: %s", l.environment, f.Message)
		l.faults = append(l.faults, &of)
	}
}

// seed spreads H; see [catalog.Due].
func (l *look) seed() string { return l.repo.Namespace + "/" + l.repo.Name + "/" + l.environment }

// since is the time after which scheduled times count.
func (l *look) since() time.Time {
	since := l.now.Add(-deadline)
	switch {
	case l.ahead():
		return l.now
	case l.before != nil && l.before.Time.After(since):
		return l.before.Time.Time
	}
	return since
}

// ahead says whether what is remembered is still to come: by a clock that was ahead, or an edit.
func (l *look) ahead() bool { return l.before != nil && l.before.Time.After(l.now) }

// remember notes that all up to now is dealt with. Where nothing was due and nothing is new, what
// is known stands, so that nothing is written.
func (l *look) remember(due bool) {
	timetable := catalog.Timetable(l.catalog)
	switch {
	case l.failed != nil:
	case due, l.before == nil, l.ahead(), l.before.Timetable != timetable:
		l.after = &v1alpha1.ScheduleStatus{
			Environment: l.environment, Time: metav1.NewTime(l.now.Truncate(time.Second)),
			Timetable: timetable, Commit: l.repo.Status.DefaultCommit, LastSkippedTime: l.skipped,
		}
		if l.skipped == nil && l.before != nil {
			l.after.LastSkippedTime = l.before.LastSkippedTime
		}
	}
}

// known gives the catalog with those schedules only that were in force at the last look. Where that
// cannot be found out any more, none was.
func (r *Reconciler) known(ctx context.Context, l *look) (catalog.Catalog, error) {
	if l.before == nil {
		return catalog.Catalog{}, nil
	}
	if l.before.Timetable == catalog.Timetable(l.catalog) {
		return l.catalog, nil
	}
	earlier, err := r.Catalogs.Verified(ctx, l.repo, l.before.Commit, l.environment)
	switch {
	case err != nil && fault.Of(err) != fault.User:
		return catalog.Catalog{}, err
	case err != nil || l.before.Timetable != catalog.Timetable(earlier):
		return catalog.Catalog{}, nil
	}
	return catalog.ScheduledBefore(l.catalog, earlier), nil
}

// admitted says whether the environment is suspended; it is an error where the repository may not
// run there.
func (r *Reconciler) admitted(ctx context.Context, repo *v1alpha1.TestRepository, environment string) (bool, error) {
	env := &v1alpha1.TestEnvironment{}
	err := r.Get(ctx, types.NamespacedName{Name: environment}, env)
	switch {
	case apierrors.IsNotFound(err):
		env = nil
	case err != nil:
		return false, fmt.Errorf("reading the TestEnvironment %q: %w", environment, err)
	}
	if err := runner.Admitted(repo, environment, env); err != nil {
		return false, err
	}
	return env.Spec.Suspend, nil
}

// dueAt are the suites of one scheduled time, sorted.
type dueAt struct {
	time   time.Time
	suites []string
}

func byTime(due []catalog.Scheduled) []dueAt {
	var times []dueAt
	for _, s := range due {
		i := slices.IndexFunc(times, func(d dueAt) bool { return d.time.Equal(s.Time) })
		if i < 0 {
			i, times = len(times), append(times, dueAt{time: s.Time})
		}
		times[i].suites = append(times[i].suites, s.Suite)
	}
	slices.SortFunc(times, func(a, b dueAt) int { return cmp.Compare(a.time.Unix(), b.time.Unix()) })
	return times
}

func statusOf(repo *v1alpha1.TestRepository, environment string) *v1alpha1.ScheduleStatus {
	i := slices.IndexFunc(repo.Status.Schedules, func(s v1alpha1.ScheduleStatus) bool {
		return s.Environment == environment
	})
	if i < 0 {
		return nil
	}
	return &repo.Status.Schedules[i]
}
