package runner_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// TestWhatThePlanSettles: suites that the plan settles are final from the start, no pod of them
// is started, and the others go on.
func TestWhatThePlanSettles(t *testing.T) {
	w := newWorld("new", "passed=", "forbidden#?")
	cases := &v1alpha1.CaseCounts{Total: 4, Passed: 4}
	for i := range w.run.Status.Plan {
		if p := &w.run.Status.Plan[i]; p.Reused != nil {
			p.Reused.Cases = cases
		}
	}
	w.run.Status = runner.Planned(&v1alpha1.TestRun{ObjectMeta: w.run.ObjectMeta}, w.run.Status.Plan, begin)
	want := []v1alpha1.SuiteStatus{
		{Name: "new", State: v1alpha1.StatePending},
		{Name: "passed", State: v1alpha1.StatePassed, Cases: cases, Message: "passed in run earlier at commit 1234567 with the same definition and content"},
		{Name: "forbidden", State: v1alpha1.StateErrored, Reason: "PolicyViolation", Message: "it is forbidden"},
	}
	if diff := cmp.Diff(want, w.run.Status.Suites); diff != "" {
		t.Error(diff)
	}
	if w.run.Status.State != v1alpha1.StatePending || w.run.Status.Message != "starting 1 suite" {
		t.Errorf("the run is %s: %s", w.run.Status.State, w.run.Status.Message)
	}
	if got := w.run.Status.Conditions[0].Message; got != "1 of 4 suites of the catalog run, 1 passed in an earlier run, 1 may not run here" {
		t.Errorf("it was planned as %q", got)
	}
	if got := starts(w.next(0, runner.Observed{Slots: 10})); len(got) != 1 || got[0].Suite != "new" {
		t.Errorf("started: %v", got)
	}
	w.next(time.Minute, pods(w.pod("new", 1, runner.PhaseEnded, exit(0), told(report.Outcome{}))))
	if w.run.Status.State != v1alpha1.StatePassed || w.run.Status.Message != "2 suites passed, 1 of them in an earlier run; 1 not required failed: forbidden" {
		t.Errorf("the run is %s: %s", w.run.Status.State, w.run.Status.Message)
	}
}

func TestARunOfEarlierPassesEndsWhenItIsPlanned(t *testing.T) {
	w := newWorld("a=", "b=")
	if w.run.Status.State != v1alpha1.StatePassed || w.run.Status.Message != "2 suites passed, 2 of them in an earlier run" || w.run.Status.CompletionTime == nil {
		t.Errorf("the run is %s: %s", w.run.Status.State, w.run.Status.Message)
	}
}

// TestResults goes the whole way: a run is planned, its pods tell what they were made of, and
// what the run says to later ones is read off its status.
func TestResults(t *testing.T) {
	clean := report.Outcome{Counts: report.Counts{Total: 1, Passed: 1}}
	flaky := report.Outcome{Counts: report.Counts{Total: 1, Passed: 1, Flaky: 1}}
	for name, c := range map[string]struct {
		pods []runner.ObservedAttempt
		// change is made to the environment after the plan.
		clean, none bool
	}{
		"a pass":                        {pods: []runner.ObservedAttempt{{AttemptID: runner.AttemptOf("a", 1), Outcome: &clean}}, clean: true},
		"a flaky case is no clean pass": {pods: []runner.ObservedAttempt{{AttemptID: runner.AttemptOf("a", 1), Outcome: &flaky}}},
		"a pass after a lost pod":       {pods: []runner.ObservedAttempt{{AttemptID: runner.AttemptOf("a", 1), Reason: fault.Evicted}, {AttemptID: runner.AttemptOf("a", 2), Outcome: &clean}}, clean: true},
		"a failure":                     {pods: []runner.ObservedAttempt{{AttemptID: runner.AttemptOf("a", 1), Outcome: &report.Outcome{ExitCode: 1}}}},
		"what could not be found out says nothing": {pods: []runner.ObservedAttempt{{AttemptID: runner.AttemptOf("a", 1), Reason: fault.CommandNotFound}}, none: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld("a")
			w.run.Spec.Commit = "c1"
			var observed []runner.ObservedAttempt
			for _, o := range c.pods {
				o.Pod, o.Phase, o.Created, o.Ended = runner.PodName(w.run, o.AttemptID), runner.PhaseEnded, begin, begin.Add(time.Minute)
				o.ContentDigest, o.EnvironmentDigest = "sha256:content", "sha256:environment"
				observed = append(observed, o)
			}
			w.next(time.Minute, pods(observed...))
			results := runner.Results(w.run)
			if c.none {
				if len(results) > 0 {
					t.Errorf("it says %+v", results)
				}
				return
			}
			want := catalog.PastResult{Suite: "a", Digest: "sha256:a", ContentDigest: "sha256:content", EnvironmentDigest: "sha256:environment",
				Run: w.run.Name, Commit: "c1", Ended: begin.Add(time.Minute), Clean: c.clean}
			if len(results) != 1 {
				t.Fatalf("it says %+v", results)
			}
			results[0].Cases, results[0].Ended = nil, results[0].Ended.UTC()
			if diff := cmp.Diff(want, results[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEarlierPassesAreNoResults(t *testing.T) {
	w := newWorld("a=")
	w.run.Status.Plan[0].EnvironmentDigest = "sha256:environment"
	if results := runner.Results(w.run); len(results) > 0 {
		t.Errorf("it says %+v", results)
	}
}

// TestAFailedAttemptIsNoCleanPass: today a failed attempt ends its suite; should a suite be
// allowed to repeat it one day, that is a flaky pass.
func TestAFailedAttemptIsNoCleanPass(t *testing.T) {
	run := &v1alpha1.TestRun{Status: v1alpha1.TestRunStatus{
		Plan: []v1alpha1.PlannedSuite{{Suite: "a", Run: true, EnvironmentDigest: "sha256:e"}},
		Suites: []v1alpha1.SuiteStatus{{Name: "a", State: v1alpha1.StatePassed, Attempts: []v1alpha1.Attempt{
			{Number: 1, State: v1alpha1.StateFailed}, {Number: 2, State: v1alpha1.StatePassed}}}},
	}}
	if results := runner.Results(run); len(results) != 1 || results[0].Clean {
		t.Errorf("it says %+v", results)
	}
}

// TestThePodSaysWhatItWasMadeOf: what counts is the environment as it was when the pod was
// made, not when the run was planned.
func TestThePodSaysWhatItWasMadeOf(t *testing.T) {
	w := newWorld("a")
	w.run.Status.Plan[0].EnvironmentDigest, w.run.Status.Plan[0].ContentDigest = "sha256:planned", "sha256:content"
	suite := w.suites["a"]
	suite.Spec.Hermetic = true
	w.env.Spec.Env = []corev1.EnvVar{{Name: "FLAG", Value: "changed since"}}
	made := runner.Attempt{Run: w.run, ID: runner.AttemptOf("a", 1), Suite: suite, Environment: w.env}.EnvironmentDigest()
	if made == "" {
		t.Fatal("there is no digest")
	}
	w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, exit(0), told(report.Outcome{}), func(o *runner.ObservedAttempt) {
		o.ContentDigest, o.EnvironmentDigest = "sha256:content", made
	})))
	if got := w.run.Status.Plan[0]; got.EnvironmentDigest != made || got.ContentDigest != "sha256:content" {
		t.Errorf("the plan says %+v", got)
	}
}
