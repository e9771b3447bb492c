package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/runs"
)

// maxOpen is how many scheduled runs of a repository may be open in an environment at once. A timetable that its
// environment can keep up with has one or two; where there are ten, another would only wait behind them, and hundreds
// would take the controller's time from others.
const maxOpen = 10

// open are the scheduled runs of a repository that have not ended, in one environment.
type open struct {
	// runs is their count, and bySuite the run of each suite that has not ended.
	runs    int
	bySuite map[string]*v1alpha1.TestRun
}

// open gives the scheduled runs that have not ended, by environment.
func (r *Reconciler) open(ctx context.Context, repo *v1alpha1.TestRepository) (map[string]*open, error) {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(repo.Namespace, repo.Name)); err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	opened := map[string]*open{}
	for _, environment := range repo.Spec.Environments {
		opened[environment.Name] = &open{bySuite: map[string]*v1alpha1.TestRun{}}
	}
	for i := range all.Items {
		run := &all.Items[i]
		if run.Spec.Cause.Type != v1alpha1.CauseSchedule || run.Status.State.Final() || !r.Key.IsRun(run) {
			continue
		}
		here := opened[run.Spec.Environment]
		if here == nil { // it is taken out of the TestRepository
			continue
		}
		here.runs++
		for _, suite := range run.Spec.Suites {
			if !ended(run, suite) {
				here.bySuite[suite] = run
			}
		}
	}
	return opened, nil
}

// ended says whether a suite of a run that goes on has come to its end.
func ended(run *v1alpha1.TestRun, suite string) bool {
	return slices.ContainsFunc(run.Status.Suites, func(s v1alpha1.SuiteStatus) bool {
		return s.Name == suite && s.State.Final()
	})
}

// start creates the run of a time, without the suites that still run from an earlier one, and not where too many have
// not ended. What is left out is said, and not made up for.
func (r *Reconciler) start(ctx context.Context, l *look, due dueAt, here *open) error {
	at := metav1.NewTime(due.time)
	suites, held := here.free(due)
	switch {
	case len(suites) > 0 && here.runs >= maxOpen && !here.has(due):
		l.skipped = &at
		r.Events.Eventf(l.repo, nil, corev1.EventTypeWarning, "ScheduleSkipped", "Schedule",
			"the time %s in the environment %q was left out, as %d scheduled runs have not ended: schedule less, or let the environment have more pods",
			due.time.UTC().Format(time.RFC3339), l.environment, here.runs)
		return nil
	case len(held) > 0:
		l.skipped = &at
		r.Events.Eventf(l.repo, nil, corev1.EventTypeWarning, "ScheduleSkipped", "Schedule",
			"at %s in the environment %q these suites were left out, as their last scheduled run has not ended: %s",
			due.time.UTC().Format(time.RFC3339), l.environment, some(held))
	}
	if len(suites) == 0 {
		return nil
	}
	run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{
		Environment: l.environment,
		Commit:      l.repo.Status.DefaultCommit,
		Branch:      l.repo.Status.DefaultBranch,
		Cause:       v1alpha1.Cause{Type: v1alpha1.CauseSchedule, ScheduledTime: &at},
		Suites:      suites,
	}, "")
	run, made, err := runs.Make(ctx, r.Client, r.Key, run, fieldOwner)
	if err != nil {
		return err
	}
	if made { // and not by a controller that was killed before it could remember
		here.runs++
		ctrl.LoggerFrom(ctx).Info("created scheduled run", "run", run.Name, "suites", len(suites),
			"environment", l.environment, "time", due.time)
	}
	l.latest = due.time
	return nil
}

// free parts the suites that may start from those that still run. A run of the very time is that
// which a controller made before it was killed: it holds up nothing.
func (o *open) free(due dueAt) (suites, held []string) {
	for _, suite := range due.suites {
		if run := o.bySuite[suite]; run != nil && !run.Spec.Cause.ScheduledTime.Time.Equal(due.time) {
			held = append(held, suite+" ("+run.Name+")")
			continue
		}
		suites = append(suites, suite)
	}
	return suites, held
}

// has says whether the time has its run, by a controller that was killed before it could remember.
func (o *open) has(due dueAt) bool {
	return slices.ContainsFunc(due.suites, func(suite string) bool {
		run := o.bySuite[suite]
		return run != nil && run.Spec.Cause.ScheduledTime.Time.Equal(due.time)
	})
}

// some gives three names and the count of the others.
func some(names []string) string {
	const shown = 3
	if more := len(names) - shown; more > 0 {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}
