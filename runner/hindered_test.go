package runner_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

var (
	hostDown = fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer")
	hostBusy = fault.New(fault.HostBusy, fault.Place{}, "", "enough is waiting")
	revoked  = fault.New(fault.AuthenticationFailed, fault.Place{}, "", "the token is refused")
)

// TestPatience: it counts from the first fault of a row, whatever the age of the run.
func TestPatience(t *testing.T) {
	old := &v1alpha1.TestRun{}
	old.CreationTimestamp.Time = begin.Add(-time.Hour)
	for _, step := range []struct {
		after time.Duration
		err   error
		want  v1alpha1.RunState
	}{
		{0, hostDown, v1alpha1.StatePending},
		{9 * time.Minute, hostDown, v1alpha1.StatePending},
		{10 * time.Minute, hostBusy, v1alpha1.StatePending}, // somebody is there
		{11 * time.Minute, hostDown, v1alpha1.StateErrored},
	} {
		old.Status = runner.Hindered(old, step.err, begin.Add(step.after))
		if old.Status.State != step.want {
			t.Fatalf("after %s it is %s: %s", step.after, old.Status.State, old.Status.Message)
		}
	}
	if !meta.IsStatusConditionTrue(old.Status.Conditions, v1alpha1.CompleteCondition) {
		t.Error("it is not Complete")
	}
}

// TestBlocked: while the catalog cannot be had nothing starts, and what runs is judged and waited for.
func TestBlocked(t *testing.T) {
	blocked := func(err error, attempts ...runner.ObservedAttempt) runner.Observed {
		return runner.Observed{Attempts: attempts, Slots: 5, Blocked: err}
	}
	for _, err := range []error{hostDown, hostBusy, revoked} {
		w := newWorld("a", "b")
		suites := w.suites
		w.next(0, pods(w.pod("a", 1, runner.PhaseRunning)))
		w.suites = nil
		for after := time.Minute; after < 10*time.Minute; after += time.Minute {
			if got := starts(w.next(after, blocked(err, w.pod("a", 1, runner.PhaseRunning)))); len(got) > 0 {
				t.Fatalf("%s: starts %v", err, got)
			}
			if w.run.Status.State != v1alpha1.StateRunning {
				t.Fatalf("%s: the run is %s while a pod runs", err, w.run.Status.State)
			}
		}
		w.suites = suites
		w.next(10*time.Minute, pods(w.pod("a", 1, runner.PhaseRunning)))
		if c := meta.FindStatusCondition(w.run.Status.Conditions, v1alpha1.ReadyCondition); c.Reason != v1alpha1.ProgressingReason {
			t.Errorf("%s: it is over, and Ready is %+v", err, c)
		}
	}

	w := newWorld("a", "b")
	w.next(0, pods(w.pod("a", 1, runner.PhaseRunning)))
	w.suites = nil
	passed := w.pod("a", 1, runner.PhaseEnded, told(report.Outcome{Counts: counts(3, 0)}), exit(0))
	w.next(time.Minute, blocked(hostDown, passed))
	if a := w.suite(t, "a"); a.State != v1alpha1.StatePassed {
		t.Errorf("a is %s: %s", a.State, a.Message)
	}
	if b := w.suite(t, "b"); b.State != v1alpha1.StatePending || b.Message != "no answer" {
		t.Errorf("b is %s: %s", b.State, b.Message)
	}
	for after := time.Minute; after < 12*time.Minute; after += 15 * time.Second { // as often as it is looked at
		w.next(after, blocked(hostDown, passed))
	}
	if a, b := w.suite(t, "a"), w.suite(t, "b"); a.State != v1alpha1.StatePassed || b.Reason != string(fault.HostUnreachable) || !w.run.Status.State.Final() {
		t.Errorf("a is %s, b is %s (%s), the run is %s", a.State, b.State, b.Reason, w.run.Status.State)
	}
}

// TestCancelledBeforeItsPlan: whatever a run waits for, it can be cancelled and superseded.
func TestCancelledBeforeItsPlan(t *testing.T) {
	for reason, cancel := range map[string]func(*v1alpha1.TestRun, *runner.Observed){
		v1alpha1.CancelledReason:  func(run *v1alpha1.TestRun, _ *runner.Observed) { run.Spec.Cancel = true },
		v1alpha1.SupersededReason: func(_ *v1alpha1.TestRun, obs *runner.Observed) { obs.Superseded = true },
	} {
		run, obs := &v1alpha1.TestRun{}, runner.Observed{}
		run.Status = runner.Hindered(run, hostDown, begin)
		cancel(run, &obs)
		status, _ := runner.Next(run, nil, nil, obs, begin.Add(time.Second))
		c := meta.FindStatusCondition(status.Conditions, v1alpha1.ReadyCondition)
		if status.State != v1alpha1.StateCancelled || status.CompletionTime == nil || c.Reason != reason {
			t.Errorf("%s: it is %s, %+v", reason, status.State, c)
		}
	}
}

// TestOutputIsKept: where no case says why a suite went wrong, the end of what it printed does.
func TestOutputIsKept(t *testing.T) {
	failing := []report.Case{{Name: "price", Status: report.Failed, Message: "got 3"}}
	torn := []report.Case{{Name: "plan", Status: report.Errored, Message: "no plan", Torn: true}}
	for name, c := range map[string]struct {
		outcome report.Outcome
		want    string
	}{
		"no report":               {report.Outcome{ExitCode: 7, Output: "cannot connect to db:5432"}, "cannot connect to db:5432"},
		"a green report":          {report.Outcome{ExitCode: 3, Counts: counts(2, 0), Output: "tidy up failed"}, "tidy up failed"},
		"a timeout, with cases":   {report.Outcome{Reason: report.ReasonTimedOut, Counts: counts(0, 1), Failures: failing, Output: "waiting"}, "waiting"},
		"a missing report":        {report.Outcome{Reason: report.ReasonReportMissing, Output: "sh: no such file"}, "sh: no such file"},
		"a report that is torn":   {report.Outcome{ExitCode: 1, Counts: counts(0, 1), Failures: torn, Output: "no such host"}, "no such host"},
		"a case that says enough": {report.Outcome{ExitCode: 1, Counts: counts(0, 1), Failures: failing, Output: "noise"}, ""},
		"a pass":                  {report.Outcome{Counts: counts(1, 0), Output: "noise"}, ""},
	} {
		w := newWorld("a")
		w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, told(c.outcome), exit(int32(c.outcome.ExitCode)))))
		if got := w.suite(t, "a").Output; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestKilledWaitsForTheCluster: a command that was killed may have been out of memory; only the ended container tells.
func TestKilledWaitsForTheCluster(t *testing.T) {
	w := newWorld("a")
	killed := told(report.Outcome{ExitCode: 137})
	w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseRunning, killed)))
	if a := w.suite(t, "a"); a.State != v1alpha1.StateRunning {
		t.Fatalf("it is %s: %s", a.State, a.Message)
	}
	stuck := newWorld("a")
	stuck.next(12*time.Minute, pods(stuck.pod("a", 1, runner.PhaseRunning, killed)))
	if a := stuck.suite(t, "a"); a.State != v1alpha1.StateFailed || a.Reason != string(fault.TestsFailed) {
		t.Errorf("its container does not end, and it is %s %s: %s", a.State, a.Reason, a.Message)
	}
	w.next(2*time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, killed, exit(137), func(o *runner.ObservedAttempt) {
		o.Reason, o.Message = fault.LimitExceeded, "killed: out of memory (limit 24Mi)"
	})))
	if a := w.suite(t, "a"); a.State != v1alpha1.StateFailed || a.Message != "killed: out of memory (limit 24Mi)" {
		t.Errorf("it is %s: %s", a.State, a.Message)
	}
}
