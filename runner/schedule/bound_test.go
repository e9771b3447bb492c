package schedule

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
)

// count gives how many runs there are.
func (s *stage) count() []v1alpha1.TestRun {
	s.Helper()
	var all v1alpha1.TestRunList
	if err := s.List(s.Context(), &all); err != nil {
		s.Fatal(err)
	}
	return all.Items
}

// TestManySuitesOfEveryMinuteAreOneRun: 60 suites, and hours in which the environment does nothing, are one run.
func TestManySuitesOfEveryMinuteAreOneRun(t *testing.T) {
	var suites []string
	for i := range 60 {
		suites = append(suites, fmt.Sprintf("load%02d=* * * * *", i))
	}
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt(suites...)})
	s.looks("11:59:30")
	for minute := range 20 {
		s.looks(fmt.Sprintf("12:%02d:00", minute))
	}
	if n := len(s.count()); n != 1 {
		t.Errorf("there are %d runs", n)
	}
	if last := s.repo().Status.Schedules[0].LastSkippedTime; last == nil || last.UTC().Format("15:04") != "12:19" {
		t.Errorf("the last time that was left out is %v", last)
	}
}

// TestFewScheduledRunsAreOpenAtOnce: suites that have a minute each are as many runs, and only so many wait.
func TestFewScheduledRunsAreOpenAtOnce(t *testing.T) {
	var suites []string
	for i := range 30 {
		suites = append(suites, fmt.Sprintf("load%02d=%d 12 * * *", i, i))
	}
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt(suites...)})
	s.looks("11:59:30")
	for minute := range 15 {
		s.looks(fmt.Sprintf("12:%02d:00", minute))
	}
	made := s.count()
	if len(made) != maxOpen {
		t.Fatalf("%d runs are open, want %d", len(made), maxOpen)
	}
	if last := s.repo().Status.Schedules[0].LastSkippedTime; last == nil || last.UTC().Format("15:04") != "12:14" {
		t.Errorf("the last time that was left out is %v", last)
	}
	told := <-s.events.Events
	if !strings.Contains(told, "2026-03-02T12:10:00Z") || !strings.Contains(told, fmt.Sprint(maxOpen)) {
		t.Errorf("the event is %q", told)
	}
	// One that ends makes room for one; what was left out is not made up for.
	made[0].Status.State = v1alpha1.StatePassed
	if err := s.Status().Update(t.Context(), &made[0]); err != nil {
		t.Fatal(err)
	}
	s.looks("12:15:00", "12:16:00")
	if n := len(s.count()); n != maxOpen+1 {
		t.Errorf("there are %d runs, want one more than %d", n, maxOpen)
	}
}

// TestWhatTheControllerDidNotMakeHoldsUpNoSchedule: neither as an open run nor by the name of the next one.
func TestWhatTheControllerDidNotMakeHoldsUpNoSchedule(t *testing.T) {
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt(daily)})
	s.looks("11:30:00")
	at := metav1.NewTime(noon)
	theirs := runner.NewRun(s.repo(), v1alpha1.TestRunSpec{Environment: "staging", Commit: sha("6"), Branch: "main",
		Cause: v1alpha1.Cause{Type: v1alpha1.CauseSchedule, ScheduledTime: &at}, Suites: []string{"load"}}, "")
	if err := s.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	s.looks("12:00:00", "12:00:30")
	s.restart()
	s.looks("12:00:40")
	s.expect("load at 12:00 of 1", "load at 12:00 of 6")
}
