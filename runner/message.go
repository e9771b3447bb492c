package runner

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/report"
)

// message is the line on a run. While it is under way nothing in it changes with time.
func (t tally) message(status v1alpha1.TestRunStatus) string {
	switch {
	case t.suites == 0 && len(status.Plan) == 0:
		return "no suite is concerned: there is none for this environment"
	case t.suites == 0:
		return "no suite is concerned"
	case !t.final && t.started:
		return "running " + suites(t.open)
	case !t.final:
		return t.waiting(status)
	case len(t.cancelled) > 0:
		return messageOf(status, t.cancelled[0])
	}
	var parts []string
	if n := len(t.failed); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s failed: %s", n, suites(t.suites), listed(t.failed)))
	}
	if n := len(t.errored); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s errored: %s", n, suites(t.suites), listed(t.errored)))
	}
	if len(parts) == 0 {
		parts = append(parts, suites(t.suites-len(t.tolerated))+" passed"+t.earlier())
	}
	if n := len(t.tolerated); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not required failed: %s", n, listed(t.tolerated)))
	}
	return strings.Join(parts, "; ")
}

// earlier says how many of the suites that passed did so in an earlier run.
func (t tally) earlier() string {
	if t.reused == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them in an earlier run", t.reused)
}

// waiting says what the first suite waits for.
func (t tally) waiting(status v1alpha1.TestRunStatus) string {
	for _, suite := range status.Suites {
		if suite.State == v1alpha1.StatePending && suite.Message != "" {
			return suite.Message
		}
	}
	return "starting " + suites(t.open)
}

func messageOf(status v1alpha1.TestRunStatus, suite string) string {
	for _, s := range status.Suites {
		if s.Name == suite {
			return s.Message
		}
	}
	return ""
}

func suites(n int) string {
	if n == 1 {
		return "1 suite"
	}
	return fmt.Sprintf("%d suites", n)
}

// listed gives three names and the count of the others.
func listed(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// passed is the line on a suite that passed.
func passed(c report.Counts) string {
	switch {
	case c.Total == 0:
		return "exit code 0"
	case c.Flaky > 0:
		return fmt.Sprintf("%d of %s passed, %d only when repeated", c.Passed, ofTotal(c), c.Flaky)
	case c.Skipped > 0:
		return fmt.Sprintf("%d of %s passed, %d skipped", c.Passed, ofTotal(c), c.Skipped)
	}
	return ofTotal(c) + " passed"
}

// ofCases is the line on a suite whose report has failures.
func ofCases(c report.Counts) string { return fmt.Sprintf("%d of %s failed", c.Bad(), ofTotal(c)) }

func ofTotal(c report.Counts) string {
	if c.Total == 1 {
		return "1 case"
	}
	return fmt.Sprintf("%d cases", c.Total)
}

func cases(o *report.Outcome) *v1alpha1.CaseCounts {
	c := o.Counts
	if c.Total == 0 {
		return nil
	}
	return &v1alpha1.CaseCounts{
		Total: int32(c.Total), Passed: int32(c.Passed), Failed: int32(c.Failed),
		Errored: int32(c.Errored), Skipped: int32(c.Skipped), Flaky: int32(c.Flaky),
	}
}

// failures gives the failed cases within the bounds of the TestRun's schema.
func failures(o *report.Outcome) []v1alpha1.CaseFailure {
	var list []v1alpha1.CaseFailure
	for _, c := range o.Bounded().Failures {
		list = append(list, v1alpha1.CaseFailure{Name: caseName(c), Message: cut(c.Message, 1024), File: cut(c.File, 512), Line: int32(c.Line)})
	}
	return list
}

// outputBytes is the most of what a suite printed that its status keeps.
const outputBytes = 2 << 10

// output is the end of what the suite printed, where nothing else says why it went wrong: no case failed but such as
// stand for what the report lacks, or what ended it was not a case.
func output(suite v1alpha1.SuiteStatus, o *report.Outcome) string {
	tells := func(c report.Case) bool { return !c.Torn }
	said := suite.Reason == string(fault.TestsFailed) && slices.ContainsFunc(o.Bounded().Failures, tells)
	if suite.State == v1alpha1.StatePassed || said {
		return ""
	}
	text := o.Bounded().Output
	if n := len(text) - outputBytes; n > 0 {
		text = strings.ToValidUTF8(text[n:], "")
		if _, whole, found := strings.Cut(text, "\n"); found { // from the beginning of a line
			text = whole
		}
	}
	return text
}

// caseName puts the class, or else the suite, in front of the name where it does not say so itself.
func caseName(c report.Case) string {
	group := c.ClassName
	if group == "" {
		group = c.Suite
	}
	if group == "" || strings.HasPrefix(c.Name, group) {
		return cut(c.Name, 512)
	}
	const separator = " › "
	room := 512 - len(separator) - len(c.Name)
	if room < len(group) {
		return cut(c.Name, 512)
	}
	return group + separator + c.Name
}

// cut keeps at most n bytes, whole runes only.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
