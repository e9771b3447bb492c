package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// conclude records what the looks at all environments came to, and gives when to look again, zero
// for not before something changes, and what has to be tried again.
func conclude(repo *v1alpha1.TestRepository, looks []*look) (again time.Time, failed error) {
	var schedules []v1alpha1.ScheduleStatus
	var latest time.Time
	for _, l := range looks {
		if l.after != nil {
			schedules = append(schedules, *l.after)
		}
		if l.latest.After(latest) {
			latest = l.latest
		}
		again = earlier(again, earlier(l.next, l.again))
		failed = errors.Join(failed, l.failed)
	}
	repo.Status.Schedules = schedules
	if last := repo.Status.LastScheduleTime; !latest.IsZero() && (last == nil || last.Time.Before(latest)) {
		at := metav1.NewTime(latest)
		repo.Status.LastScheduleTime = &at
	}
	if !slices.ContainsFunc(looks, func(l *look) bool { return l.busy }) { // else nobody knows, and nothing is news
		setCondition(repo, looks)
	}
	return again, failed
}

// setCondition says how the schedules stand; nothing where there are none. The message holds no time
// but the next, which changes only when something was due.
func setCondition(repo *v1alpha1.TestRepository, looks []*look) {
	var faults []error
	var suspended []string
	var next time.Time
	suites, environments := 0, 0
	for _, l := range looks {
		faults = append(faults, l.faults...)
		if l.failed != nil {
			faults = append(faults, fmt.Errorf("in the environment %q: %w", l.environment, l.failed))
		}
		switch {
		case l.suspended:
			suspended = append(suspended, l.environment)
		case l.suites > 0:
			suites, environments = suites+l.suites, environments+1
			next = earlier(next, l.next)
		}
	}
	held := ""
	if len(suspended) > 0 {
		held = "no schedule goes in suspended environments: " + some(suspended)
	}
	switch {
	case len(faults) > 0:
		condition := fault.Condition(v1alpha1.ScheduledCondition, repo.Generation, errors.Join(faults...))
		conditions.Set(repo, &condition)
	case suites > 0:
		goes := fmt.Sprintf("%s in %s, the next at %s; %s",
			counted(suites, "scheduled suite"), counted(environments, "environment"), next.Format(time.RFC3339), held)
		goes = strings.TrimSuffix(goes, "; ")
		conditions.MarkTrue(repo, v1alpha1.ScheduledCondition, v1alpha1.SucceededReason, "%s", goes)
	case held != "":
		conditions.MarkFalse(repo, v1alpha1.ScheduledCondition, v1alpha1.SuspendedReason, "%s", held)
	default:
		conditions.Delete(repo, v1alpha1.ScheduledCondition)
	}
}

// suspend is for a repository that is suspended: its schedules count anew once it is not.
func suspend(repo *v1alpha1.TestRepository) {
	repo.Status.Schedules = nil
	if conditions.Has(repo, v1alpha1.ScheduledCondition) {
		conditions.MarkFalse(repo, v1alpha1.ScheduledCondition, v1alpha1.SuspendedReason, "suspended")
	}
}

// stall is for a repository that is not polled until its spec is another.
func stall(repo *v1alpha1.TestRepository) {
	if conditions.Has(repo, v1alpha1.ScheduledCondition) {
		conditions.MarkFalse(repo, v1alpha1.ScheduledCondition, conditions.GetReason(repo, v1alpha1.StalledCondition),
			"%s", conditions.GetMessage(repo, v1alpha1.StalledCondition))
	}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
