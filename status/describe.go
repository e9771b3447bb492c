package status

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// describe says in a line how an environment stands. While suites run the line does not
// change, so that it is written once: no durations and no counts of what is done.
func describe(m runner.Merged) string {
	r, t := m.Run, tallyOf(m)
	switch runner.StateOf(r) {
	case "", v1alpha1.StatePending, v1alpha1.StateRunning:
		if !runner.IsPlanned(r) {
			return "waiting for the plan"
		}
		return fmt.Sprintf("%s: %s", count(len(t.open), "suite")+verb(len(t.open)), names(suiteNames(t.open)))
	case v1alpha1.StatePassed, v1alpha1.StateSkipped:
		return t.passed(r)
	case v1alpha1.StateFailed:
		line := fmt.Sprintf("%d of %s failed: %s", len(t.failed), count(t.suites, "suite"), names(suiteNames(t.failed)))
		if len(t.errored) > 0 {
			line += "; errored: " + names(withReasons(t.errored))
		}
		return line
	case v1alpha1.StateCancelled:
		return cancelled(r)
	}
	if len(t.errored) > 0 {
		return fmt.Sprintf("%d of %s errored: %s",
			len(t.errored), count(t.suites, "suite"), names(suiteNames(t.errored)))
	}
	return faultOf(r)
}

// why tells more of what went wrong first: a push has no comment that says it.
func why(m runner.Merged) string {
	t := tallyOf(m)
	var first suite
	var text string
	switch state := runner.StateOf(m.Run); {
	case state == v1alpha1.StateFailed && len(t.failed) > 0:
		first, text = t.failed[0], failedLine(t.failed[0])
	case state == v1alpha1.StateErrored && len(t.errored) > 0:
		first = t.errored[0]
		text = joined(first.status.Reason, first.status.Message)
	default:
		return ""
	}
	if len(t.failed)+len(t.errored) == 1 {
		return said(text)
	}
	return "; " + first.status.Name + said(text)
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
		return failedLine(s)
	case v1alpha1.StateSkipped:
		return "left out" + said(st.Message)
	}
	return "errored" + said(joined(st.Reason, st.Message))
}

// failedLine begins with what ended the suite, where it did not end by itself.
func failedLine(s suite) string {
	st, line := s.status, "failed"
	if c := st.Cases; c != nil && c.Failed+c.Errored > 0 {
		line = fmt.Sprintf("%d of %s failed", c.Failed+c.Errored, count(int(c.Total), "case")) + aside(c)
	}
	switch {
	case s.stopped() && len(st.Failures) > 0:
		return st.Message + "; " + line + ": " + st.Failures[0].Name
	case s.stopped():
		return st.Message + said(lastLine(st.Output))
	case len(st.Failures) > 0:
		return line + ": " + st.Failures[0].Name + said(firstLine(st.Failures[0].Message))
	}
	return line + said(st.Message) + said(lastLine(st.Output))
}

// firstLine and lastLine of a text that say something: a push has no comment that would show all of it.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
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

// nothingConcerned says why no suite runs. Of a catalog without suites the run itself knows.
func nothingConcerned(r *v1alpha1.TestRun) string {
	if len(r.Status.Plan) == 0 {
		return cmp.Or(r.Status.Message, "no suite is concerned: there is none for this environment")
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

// faultOf gives the text of what kept a run from being planned or carried out.
func faultOf(r *v1alpha1.TestRun) string {
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

func verb(n int) string {
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
