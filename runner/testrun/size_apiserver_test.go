//go:build apiserver

package testrun

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
	"github.com/assay-dev/assay/runner/report"
)

// TestAPIServerTakesTheStatusOfAnyRun: a thousand suites that all fail, with ten messages of a kilobyte each, end their
// run, and the API server stores it.
func TestAPIServerTakesTheStatusOfAnyRun(t *testing.T) {
	const many = 1000
	var names []string
	for i := range many {
		names = append(names, fmt.Sprintf("checkout-api-suite-%04d", i))
	}
	commit := strings.Repeat("1", 40)
	l := newStage(t, catalogstest.Commits{commit: tree(names...)})
	env := &v1alpha1.TestEnvironment{}
	env.Name = "staging"
	l.Change(t, env, func() { env.Spec.Limits.Pods = many })
	t.Cleanup(l.start())
	run := l.newRun(t, commit, "staging")
	var attempts []runner.ObservedAttempt
	l.Until(t, run, "all are started", func() bool {
		var err error
		attempts, err = l.executor.List(t.Context(), run)
		return err == nil && len(attempts) == many
	})
	outcome := &report.Outcome{ExitCode: 1, Counts: report.Counts{Total: 20, Passed: 10, Failed: 10}, Output: strings.Repeat("output ", 500)}
	for i := range 10 {
		outcome.Failures = append(outcome.Failures, report.Case{Name: fmt.Sprintf("case %d", i), ClassName: "com.example.CheckoutTest",
			File: "tests/api/checkout_test.go", Line: 12, Status: report.Failed, Message: strings.Repeat("message ", 128)})
	}
	for _, a := range attempts {
		if err := l.executor.End(a.Pod, 1, outcome); err != nil {
			t.Fatal(err)
		}
	}
	l.touch(t, run)
	l.Until(t, run, "it has failed", func() bool { return run.Status.State == v1alpha1.StateFailed })
	data, err := json.Marshal(run.Status)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > runner.StatusBytes || len(run.Status.Suites) != many || !meta.IsStatusConditionTrue(run.Status.Conditions, v1alpha1.CompleteCondition) {
		t.Errorf("%d bytes, %d suites, %+v", len(data), len(run.Status.Suites), run.Status.Conditions)
	}
	t.Logf("the status of %d failing suites takes %d KiB", many, len(data)>>10)
}
