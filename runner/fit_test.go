package runner_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// failing gives a run of so many suites that have all failed, each with so many failures of so many bytes, and whose
// names are as long as they may be.
func failing(suites, failures, message int) *v1alpha1.TestRun {
	run := &v1alpha1.TestRun{}
	run.Namespace, run.Name, run.UID = "shop", "run", "u"
	rendered := map[string]catalog.Suite{}
	var plan []v1alpha1.PlannedSuite
	var obs runner.Observed
	for i := range suites {
		name := fmt.Sprintf("%s-%04d", strings.Repeat("s", 58), i)
		suite := catalog.Suite{}
		suite.Name, suite.Spec.Command = name, []string{"x"}
		rendered[name] = suite
		plan = append(plan, v1alpha1.PlannedSuite{Suite: name, Run: true, Reasons: []string{strings.Repeat("because ", 20), "and because"},
			Digest: "sha256:" + strings.Repeat("a", 64), Gate: v1alpha1.GateRequired, Owners: []string{"@team-payments"}, File: "tests/suites/" + name + ".yaml"})
		outcome := &report.Outcome{ExitCode: 1, Counts: report.Counts{Total: 20, Passed: 10, Failed: 10}, Output: strings.Repeat("o", 4096)}
		if failures == 0 {
			outcome.Counts = report.Counts{}
		}
		for j := range failures {
			outcome.Failures = append(outcome.Failures, report.Case{Name: fmt.Sprintf("case %d", j), ClassName: "com.example.Checkout",
				File: "tests/api/checkout_test.go", Line: 12, Status: report.Failed, Message: strings.Repeat("m", message)})
		}
		code, id := int32(1), runner.AttemptOf(name, 1)
		obs.Attempts = append(obs.Attempts, runner.ObservedAttempt{AttemptID: id, Pod: runner.PodName(run, id), Phase: runner.PhaseEnded,
			Created: begin, Started: begin, Ended: begin.Add(time.Minute), ExitCode: &code, Outcome: outcome, Wrapped: true, ContentDigest: "sha256:" + strings.Repeat("c", 64)})
	}
	plan = append(plan, v1alpha1.PlannedSuite{Suite: "left-out", Reasons: []string{strings.Repeat("not concerned ", 20)}})
	run.Status = runner.Planned(run, plan, begin)
	run.Status, _ = runner.Next(run, rendered, &v1alpha1.TestEnvironment{}, obs, begin.Add(time.Hour))
	return run
}

func TestFit(t *testing.T) {
	for _, c := range []struct{ suites, failures, message int }{
		{1, 10, 1024}, {40, 10, 1024}, {130, 10, 1024}, {300, 0, 0}, {1000, 10, 1024}, {1000, 0, 0}, {1000, 3, 300},
	} {
		t.Run(fmt.Sprintf("%d suites, %d failures", c.suites, c.failures), func(t *testing.T) {
			run := failing(c.suites, c.failures, c.message)
			before := size(t, run.Status)
			fitted, bytes := runner.Fit(run.Status)
			if got := size(t, fitted); got > runner.StatusBytes || got != bytes {
				t.Fatalf("%d bytes, said to be %d, of %d", got, bytes, before)
			}
			if before <= runner.StatusBytes {
				if diff := difference(run.Status, fitted); diff != "" {
					t.Errorf("it fits, and is changed: %s", diff)
				}
			}
			if again, _ := runner.Fit(fitted); difference(fitted, again) != "" {
				t.Error("the second time it changes")
			}
			if fitted.State != v1alpha1.StateFailed || len(fitted.Suites) != c.suites {
				t.Errorf("it is %s with %d suites", fitted.State, len(fitted.Suites))
			}
			for _, suite := range fitted.Suites {
				if suite.State != v1alpha1.StateFailed || suite.Reason != string(fault.TestsFailed) {
					t.Fatalf("a suite is %s %s", suite.State, suite.Reason)
				}
			}
			t.Logf("%d bytes of %d; first suite: %d failures", bytes, before, len(fitted.Suites[0].Failures))
		})
	}
}

// TestFitLeavesAloneWhatIsDecidedBy: a run that is under way goes on as it would without.
func TestFitLeavesAloneWhatIsDecidedBy(t *testing.T) {
	run := failing(1000, 10, 1024)
	open := v1alpha1.SuiteStatus{Name: "open", State: v1alpha1.StateRunning, Message: strings.Repeat("m", 300), Attempts: []v1alpha1.Attempt{
		{Number: 1, Pod: "p", State: v1alpha1.StateErrored, Reason: string(fault.Evicted), Message: "the cluster took it"},
		{Number: 2, Pod: "q", State: v1alpha1.StateRunning},
	}}
	run.Status.Suites = append(run.Status.Suites, open)
	fitted, _ := runner.Fit(run.Status)
	if diff := cmp.Diff(open, fitted.Suites[1000]); diff != "" {
		t.Error(diff)
	}
}

// TestFitForgetsNoFailure: what a hermetic suite failed with stands against reusing a pass, however short its run's status.
func TestFitForgetsNoFailure(t *testing.T) {
	run := failing(1000, 10, 1024)
	for i := range run.Status.Plan {
		run.Status.Plan[i].EnvironmentDigest = "sha256:" + strings.Repeat("e", 64)
	}
	fitted := run.DeepCopy()
	fitted.Status, _ = runner.Fit(run.Status)
	before, after := runner.Results(run), runner.Results(fitted)
	if len(before) != 1000 || len(after) != 1000 {
		t.Fatalf("%d results of %d", len(after), len(before))
	}
	if r := after[0]; r.Clean || r.ContentDigest != before[0].ContentDigest || r.Ended.IsZero() {
		t.Errorf("a failure became %+v", r)
	}
}

func size(t *testing.T, status v1alpha1.TestRunStatus) int {
	t.Helper()
	data, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	return len(data)
}
