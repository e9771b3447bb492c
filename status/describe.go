package status

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// describeRun says in a line how a run stands. While it runs the line does not change, so
// that it is written once: no durations and no counts of what is done.
func describeRun(r *v1alpha1.TestRun) string {
	suites := suitesOf(r)
	var failed, errored, lenient []string
	var open []suite // that run, and are not settled by the plan
	reused := 0
	for _, s := range suites {
		if s.plan.Reused != nil {
			reused++
		} else if s.plan.Violation == "" {
			open = append(open, s)
		}
		switch {
		case !s.bad():
		case !s.required():
			lenient = append(lenient, s.status.Name)
		case s.status.State == v1alpha1.StateFailed:
			failed = append(failed, s.status.Name)
		default:
			name := s.status.Name
			if s.status.Reason != "" {
				name += " (" + s.status.Reason + ")"
			}
			errored = append(errored, name)
		}
	}
	switch stateOf(r) {
	case "", v1alpha1.StatePending, v1alpha1.StateRunning:
		if !planned(r) {
			return "waiting for the plan"
		}
		return fmt.Sprintf("%s: %s", count(len(open), "suite")+runs(len(open)), names(suiteNames(open)))
	case v1alpha1.StatePassed, v1alpha1.StateSkipped:
		if len(suites) == 0 {
			return nothingConcerned(r)
		}
		line := count(len(suites)-len(lenient), "suite") + " passed"
		if reused > 0 {
			line += fmt.Sprintf(", %d of them in an earlier run", reused)
		}
		if len(lenient) > 0 {
			line += "; not required and not passed: " + names(lenient)
		}
		return line
	case v1alpha1.StateFailed:
		line := fmt.Sprintf("%d of %s failed: %s", len(failed), count(len(suites), "suite"), names(failed))
		if len(errored) > 0 {
			line += "; without a result: " + names(errored)
		}
		return line
	case v1alpha1.StateCancelled:
		return cancelled(r)
	}
	if len(errored) > 0 {
		return fmt.Sprintf("%d of %s without a result: %s", len(errored), count(len(suites), "suite"), names(errored))
	}
	return fault(r)
}

// describeSuite says in a line how a suite of a run stands.
func describeSuite(s suite) string {
	gate := ""
	if !s.required() {
		gate = string(s.plan.Gate) + ": "
	}
	return gate + suiteLine(s)
}

func suiteLine(s suite) string {
	st := s.status
	switch st.State {
	case "", v1alpha1.StatePending, v1alpha1.StateRunning:
		return "runs"
	case v1alpha1.StateCancelled:
		return cancelled(s.run)
	case v1alpha1.StatePassed:
		if c := st.Cases; c != nil && c.Total > 0 {
			return fmt.Sprintf("%d of %s passed", c.Passed, count(int(c.Total), "case")) + aside(c) + from(s)
		}
		return "passed" + from(s)
	case v1alpha1.StateFailed:
		line := "failed"
		if c := st.Cases; c != nil && c.Failed+c.Errored > 0 {
			line = fmt.Sprintf("%d of %s failed", c.Failed+c.Errored, count(int(c.Total), "case")) + aside(c)
		}
		if len(st.Failures) > 0 {
			return line + ": " + st.Failures[0].Name
		}
		return line + said(st.Message)
	case v1alpha1.StateSkipped:
		return "left out" + said(st.Message)
	}
	return "no result" + said(joined(st.Reason, st.Message))
}

// from names the earlier run of a pass that is reused.
func from(s suite) string {
	if s.plan.Reused == nil {
		return ""
	}
	return ", from run " + s.plan.Reused.Run
}

// aside names the cases that are neither passed nor failed, and those that passed only when
// repeated.
func aside(c *v1alpha1.CaseCounts) string {
	var parts []string
	if c.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", c.Skipped))
	}
	if c.Flaky > 0 {
		parts = append(parts, fmt.Sprintf("%d flaky", c.Flaky))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func planned(r *v1alpha1.TestRun) bool {
	return len(r.Status.Plan) > 0 || meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.PlannedCondition)
}

func nothingConcerned(r *v1alpha1.TestRun) string {
	if len(r.Status.Plan) == 0 {
		return "no suite is concerned: there is none for this environment"
	}
	return "no suite is concerned by this change; left out: " + count(len(r.Status.Plan), "suite")
}

// cancelled says why a run stopped before its end.
func cancelled(r *v1alpha1.TestRun) string {
	if c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ReadyCondition); c != nil && c.Reason == v1alpha1.SupersededReason {
		return "superseded by a newer commit"
	}
	if r.Status.Message != "" {
		return "cancelled: " + r.Status.Message
	}
	return "cancelled"
}

// fault gives the text of what kept a run from being planned or carried out.
func fault(r *v1alpha1.TestRun) string {
	for _, t := range []string{v1alpha1.PlannedCondition, v1alpha1.ReadyCondition} {
		if c := meta.FindStatusCondition(r.Status.Conditions, t); c != nil && c.Status == metav1.ConditionFalse && c.Message != "" {
			return joined(c.Reason, c.Message)
		}
	}
	if r.Status.Message != "" {
		return r.Status.Message
	}
	return "it could not be found out whether the suites pass"
}

func suiteNames(suites []suite) []string {
	var out []string
	for _, s := range suites {
		out = append(out, s.status.Name)
	}
	return out
}

// names lists three and a count.
func names(all []string) string {
	const shown = 3
	if len(all) == 0 {
		return "none"
	}
	line := strings.Join(all[:min(len(all), shown)], ", ")
	if n := len(all) - shown; n > 0 {
		line += fmt.Sprintf(" and %d more", n)
	}
	return line
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func runs(n int) string {
	if n == 1 {
		return " runs"
	}
	return " run"
}

func said(message string) string {
	if message == "" {
		return ""
	}
	return ": " + message
}

func joined(reason, message string) string {
	switch {
	case reason == "":
		return message
	case message == "":
		return reason
	}
	return reason + ": " + message
}
