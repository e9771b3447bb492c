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

// bySuite are runs by the suites that they are looked at for.
type bySuite map[string]*v1alpha1.TestRun

// running gives the scheduled suites that have not ended with the run that they are in, by
// environment.
func (r *Reconciler) running(ctx context.Context, repo *v1alpha1.TestRepository) (map[string]bySuite, error) {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(repo.Namespace, repo.Name)); err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	running := map[string]bySuite{}
	for i := range all.Items {
		run := &all.Items[i]
		if run.Spec.Cause.Type != v1alpha1.CauseSchedule || run.Status.State.Final() || !r.Key.IsRun(run) {
			continue
		}
		for _, suite := range run.Spec.Suites {
			if ended(run, suite) {
				continue
			}
			if running[run.Spec.Environment] == nil {
				running[run.Spec.Environment] = bySuite{}
			}
			running[run.Spec.Environment][suite] = run
		}
	}
	return running, nil
}

// ended says whether a suite of a run that goes on has come to its end.
func ended(run *v1alpha1.TestRun, suite string) bool {
	return slices.ContainsFunc(run.Status.Suites, func(s v1alpha1.SuiteStatus) bool {
		return s.Name == suite && s.State.Final()
	})
}

// start creates the run of a time, without the suites that still run from an earlier one.
func (r *Reconciler) start(ctx context.Context, l *look, due dueAt, running bySuite) error {
	suites, held := free(due, running)
	if len(held) > 0 {
		r.Events.Eventf(l.repo, nil, corev1.EventTypeWarning, "ScheduleSkipped", "Schedule",
			"at %s in the environment %q these suites were left out, as their last scheduled run has not ended: %s",
			due.time.UTC().Format(time.RFC3339), l.environment, some(held))
	}
	if len(suites) == 0 {
		return nil
	}
	at := metav1.NewTime(due.time)
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
		ctrl.LoggerFrom(ctx).Info("created scheduled run", "run", run.Name, "suites", len(suites),
			"environment", l.environment, "time", due.time)
	}
	l.latest = due.time
	return nil
}

// free parts the suites that may start from those that still run. A run of the very time is that
// which a controller made before it was killed: it holds up nothing.
func free(due dueAt, running bySuite) (suites, held []string) {
	for _, suite := range due.suites {
		if run := running[suite]; run != nil && !run.Spec.Cause.ScheduledTime.Time.Equal(due.time) {
			held = append(held, suite+" ("+run.Name+")")
			continue
		}
		suites = append(suites, suite)
	}
	return suites, held
}

// some gives three names and the count of the others.
func some(names []string) string {
	const shown = 3
	if more := len(names) - shown; more > 0 {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}
