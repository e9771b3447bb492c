package runner_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// The ways in which a suite of TestRunVerdict ends.
var (
	passes  = []change{exit(0), told(report.Outcome{Counts: counts(2, 0)})}
	fails   = []change{exit(1), told(report.Outcome{ExitCode: 1, Counts: counts(1, 1)})}
	errored = []change{exit(127), told(report.Outcome{Reason: report.ReasonCommandNotFound, Message: "no such command"})}
)

func TestRunVerdict(t *testing.T) {
	for _, c := range []struct {
		name    string
		suites  []string
		ends    [][]change
		state   v1alpha1.RunState
		message string
		ready   metav1.ConditionStatus
		reason  string
	}{
		{"nothing is concerned", nil, nil, v1alpha1.StatePassed, "no suite is concerned", metav1.ConditionTrue, "Succeeded"},
		{"all pass", []string{"a", "b"}, [][]change{passes, passes}, v1alpha1.StatePassed, "2 suites passed", metav1.ConditionTrue, "Succeeded"},
		{"one passes", []string{"a"}, [][]change{passes}, v1alpha1.StatePassed, "1 suite passed", metav1.ConditionTrue, "Succeeded"},
		{"two fail", []string{"a", "checkout-api", "search"}, [][]change{passes, fails, fails},
			v1alpha1.StateFailed, "2 of 3 suites failed: checkout-api, search", metav1.ConditionFalse, "TestsFailed"},
		{"many fail", []string{"a", "b", "c", "d", "e"}, [][]change{fails, fails, fails, fails, fails},
			v1alpha1.StateFailed, "5 of 5 suites failed: a, b, c and 2 more", metav1.ConditionFalse, "TestsFailed"},
		{"one errored", []string{"a", "b"}, [][]change{passes, errored},
			v1alpha1.StateErrored, "1 of 2 suites errored: b", metav1.ConditionFalse, "CommandNotFound"},
		{"failed wins over errored", []string{"a", "b"}, [][]change{errored, fails},
			v1alpha1.StateFailed, "1 of 2 suites failed: b; 1 of 2 suites errored: a",
			metav1.ConditionFalse, "TestsFailed"},
		{"an optional failure is only shown", []string{"a", "b?"}, [][]change{passes, fails},
			v1alpha1.StatePassed, "1 suite passed; 1 not required failed: b", metav1.ConditionTrue, "Succeeded"},
		{"an optional error too", []string{"a?"}, [][]change{errored},
			v1alpha1.StatePassed, "0 suites passed; 1 not required failed: a", metav1.ConditionTrue, "Succeeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.suites...)
			var obs []runner.ObservedAttempt
			for i, end := range c.ends {
				obs = append(obs, w.pod(strings.TrimSuffix(c.suites[i], "?"), 1, runner.PhaseEnded, end...))
			}
			w.next(time.Hour, pods(obs...))
			status := w.run.Status
			if status.State != c.state || status.Message != c.message {
				t.Errorf("%s %q, want %s %q", status.State, status.Message, c.state, c.message)
			}
			ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ReadyCondition)
			if ready.Status != c.ready || ready.Reason != c.reason || ready.Message != c.message || ready.ObservedGeneration != 3 {
				t.Errorf("Ready is %+v", ready)
			}
			if meta.FindStatusCondition(status.Conditions, v1alpha1.ReconcilingCondition) != nil {
				t.Error("Reconciling stays")
			}
			if status.CompletionTime == nil || status.StartTime == nil {
				t.Error("a time is missing")
			}
		})
	}
}

func TestStarting(t *testing.T) {
	t.Run("in the order of the plan, as far as there are slots", func(t *testing.T) {
		w := newWorld("c", "a", "b")
		actions := w.next(0, runner.Observed{Slots: 2})
		want := []runner.AttemptID{runner.AttemptOf("c", 1), runner.AttemptOf("a", 1)}
		if diff := cmp.Diff(want, starts(actions)); diff != "" {
			t.Error(diff)
		}
		if got := w.suite(t, "b").Message; got != `waiting for a free slot in environment "staging"` {
			t.Errorf("b says %q", got)
		}
	})
	t.Run("again until the pod is observed", func(t *testing.T) {
		w := newWorld("a")
		w.next(0, pods())
		if got := starts(w.next(time.Second, pods())); len(got) != 1 || got[0].Number != 1 {
			t.Errorf("starts %+v", got)
		}
	})
	t.Run("a run is running as soon as a pod is observed", func(t *testing.T) {
		w := newWorld("a", "b")
		w.next(0, pods(w.pod("a", 1, runner.PhasePending)))
		if s := w.run.Status; s.State != v1alpha1.StateRunning || s.Message != "running 2 suites" {
			t.Errorf("%s %q", s.State, s.Message)
		}
		if ready := meta.FindStatusCondition(w.run.Status.Conditions, v1alpha1.ReadyCondition); ready.Status != metav1.ConditionUnknown || ready.Reason != "Progressing" {
			t.Errorf("Ready is %+v", ready)
		}
		if !meta.IsStatusConditionTrue(w.run.Status.Conditions, v1alpha1.ReconcilingCondition) {
			t.Error("Reconciling is missing")
		}
	})
	t.Run("not in a suspended environment", func(t *testing.T) {
		w := newWorld("a")
		w.env.Spec.Suspend = true
		if got := starts(w.next(0, pods())); len(got) > 0 {
			t.Errorf("starts %+v", got)
		}
		if got := w.run.Status.Message; got != `environment "staging" is suspended` {
			t.Errorf("the run says %q", got)
		}
	})
	t.Run("not against the environment's policy, and the others go on", func(t *testing.T) {
		w := newWorld("a", "b")
		suite := w.suites["a"]
		suite.Spec.Image = "evil.example.org/miner"
		w.suites["a"] = suite
		w.env.Spec.Images = []string{"example.org/**"}
		if got := starts(w.next(0, pods())); len(got) != 1 || got[0].Suite != "b" {
			t.Errorf("starts %+v", got)
		}
		if s := w.suite(t, "a"); s.State != v1alpha1.StateErrored || s.Reason != string(fault.PolicyViolation) {
			t.Errorf("%+v", s)
		}
	})
	t.Run("a pod that the API server refuses ends its suite", func(t *testing.T) {
		w := newWorld("a", "b")
		err := fault.New(fault.PodRefused, fault.Place{}, "", "the API server refuses the pod: no such service account")
		refused := runner.Observed{Slots: 5, Refused: []runner.Refusal{{AttemptID: runner.AttemptOf("a", 1), Err: err}}}
		if got := starts(w.next(0, refused)); len(got) != 1 || got[0].Suite != "b" {
			t.Errorf("starts %+v", got)
		}
		s := w.suite(t, "a")
		if s.State != v1alpha1.StateErrored || s.Reason != string(fault.PodRefused) || len(s.Attempts) != 1 || s.Message != err.Error() {
			t.Errorf("%+v", s)
		}
	})
	t.Run("a pod that there is no quota for waits", func(t *testing.T) {
		w := newWorld("a")
		err := &fault.Fault{Reason: fault.RateLimited, Message: "exceeded quota", After: 20 * time.Second}
		actions := w.next(0, runner.Observed{Slots: 5, Refused: []runner.Refusal{{AttemptID: runner.AttemptOf("a", 1), Err: err}}})
		if s := w.suite(t, "a"); s.State != v1alpha1.StatePending || s.Message != "exceeded quota" || w.run.Status.Message != "exceeded quota" {
			t.Errorf("%+v, run %q", s, w.run.Status.Message)
		}
		if len(starts(actions)) > 0 || until(actions) != 20*time.Second {
			t.Errorf("actions %+v", actions)
		}
		if got := starts(w.next(20*time.Second, pods())); len(got) != 1 {
			t.Errorf("it is not tried again: %+v", got)
		}
	})
}

func TestCancelling(t *testing.T) {
	for _, c := range []struct {
		name    string
		cancel  func(*world, *runner.Observed)
		reason  string
		message string
	}{
		{"by spec.cancel", func(w *world, _ *runner.Observed) { w.run.Spec.Cancel = true }, v1alpha1.CancelledReason, "cancelled"},
		{"by a newer commit", func(_ *world, o *runner.Observed) { o.Superseded = true }, v1alpha1.SupersededReason, "superseded by a newer commit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("done", "running", "waiting")
			running := w.pod("running", 1, runner.PhaseRunning)
			obs := pods(w.pod("done", 1, runner.PhaseEnded, fails...), running)
			c.cancel(w, &obs)
			actions := w.next(time.Minute, obs)
			if diff := cmp.Diff([]string{running.Pod}, stops(actions)); diff != "" || len(starts(actions)) > 0 {
				t.Errorf("actions %+v", actions)
			}
			for suite, want := range map[string]v1alpha1.RunState{"done": v1alpha1.StateFailed, "running": v1alpha1.StateCancelled, "waiting": v1alpha1.StateCancelled} {
				if got := w.suite(t, suite).State; got != want {
					t.Errorf("%s is %s", suite, got)
				}
			}
			ready := meta.FindStatusCondition(w.run.Status.Conditions, v1alpha1.ReadyCondition)
			if s := w.run.Status; s.State != v1alpha1.StateCancelled || s.Message != c.message || ready.Reason != c.reason || ready.Status != metav1.ConditionFalse {
				t.Errorf("%s %q %+v", s.State, s.Message, ready)
			}
		})
	}
	t.Run("what ended at that moment counts", func(t *testing.T) {
		w := newWorld("a")
		obs := pods(w.pod("a", 1, runner.PhaseEnded, passes...))
		obs.Superseded = true
		if w.next(time.Minute, obs); w.run.Status.State != v1alpha1.StatePassed {
			t.Errorf("the run is %s", w.run.Status.State)
		}
	})
	t.Run("pods of a final run are stopped, pods that are not the run's are left alone", func(t *testing.T) {
		w := newWorld("a")
		w.run.Spec.Cancel = true
		w.next(0, pods())
		late := w.pod("a", 1, runner.PhasePending)
		foreign := w.pod("a", 2, runner.PhaseRunning, func(o *runner.ObservedAttempt) { o.Pod = "not-ours" })
		if diff := cmp.Diff([]string{late.Pod}, stops(w.next(time.Minute, pods(late, foreign)))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBrokenAndHindered(t *testing.T) {
	err := fault.New(fault.OverlayNotFound, fault.Place{File: "tests/overlays/prod"}, "create it", "no overlay for environment %q", "prod")
	run := &v1alpha1.TestRun{}
	run.Status = runner.Hindered(run, fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer"), begin)
	if s := run.Status; s.State != v1alpha1.StatePending || s.Message != "no answer" || !meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ReconcilingCondition) {
		t.Errorf("waiting: %+v", s)
	}
	run.Status = runner.Broken(run, err, begin)
	for _, condition := range []string{v1alpha1.PlannedCondition, v1alpha1.ReadyCondition} {
		c := meta.FindStatusCondition(run.Status.Conditions, condition)
		if c == nil || c.Status != metav1.ConditionFalse || c.Reason != string(fault.OverlayNotFound) || c.Message != err.Error() {
			t.Errorf("%s is %+v", condition, c)
		}
	}
	if s := run.Status; s.State != v1alpha1.StateErrored || s.Message != err.Error() || s.CompletionTime == nil || len(s.Conditions) != 3 {
		t.Errorf("broken: %+v", s)
	}

	w := newWorld("a", "b")
	obs := pods(w.pod("a", 1, runner.PhaseRunning), w.pod("b", 1, runner.PhaseEnded, passes...))
	w.next(time.Minute, obs)
	w.run.Status = runner.Broken(w.run, errors.New("environment is gone"), begin.Add(2*time.Minute))
	if a, b := w.suite(t, "a"), w.suite(t, "b"); a.State != v1alpha1.StateErrored || b.State != v1alpha1.StatePassed {
		t.Errorf("a is %s, b is %s", a.State, b.State)
	}
	if !meta.IsStatusConditionTrue(w.run.Status.Conditions, v1alpha1.PlannedCondition) {
		t.Error("it was planned")
	}
	if got := stops(w.next(3*time.Minute, obs)); len(got) != 1 {
		t.Errorf("stops %q", got)
	}
}
