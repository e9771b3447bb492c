package status

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	// shownFailures is the most failures that a comment shows.
	shownFailures = 10
	// messageBytes is the most of one failure's message, and shortBytes where space is scarce.
	messageBytes, shortBytes = 1024, 256
	// outputBytes is the most of the end of a suite's output, and shortOutput where space is
	// scarce.
	outputBytes, shortOutput = 4096, 512
)

// failure is one case that failed, or what went wrong with a suite as a whole.
type failure struct {
	suite *suite
	v1alpha1.CaseFailure
	output string // the end of what the suite printed, with its first failure
}

// failures shows the first failures, each folded, and counts the others.
func (c conversation) failures(d detail) string {
	all, hidden := c.allFailures()
	if len(all) == 0 || d <= shortTable {
		return ""
	}
	parts := []string{"**Failures**"}
	for _, f := range all[:min(len(all), shownFailures)] {
		switch {
		case d <= failureNames:
			parts = append(parts, fmt.Sprintf("- %s %s", glyph(f.suite.status.State), inline(f.title(), 120)))
		case d <= shortMessages:
			parts = append(parts, f.details(shortBytes, shortOutput))
		default:
			parts = append(parts, f.details(messageBytes, outputBytes))
		}
	}
	if n := len(all) - shownFailures; n > 0 {
		hidden += n
	}
	if hidden > 0 {
		parts = append(parts, fmt.Sprintf("… and %s more", count(hidden, "failure")))
	}
	return strings.Join(parts, "\n\n")
}

// allFailures gives the failures that are known in the order of the table, suites that
// matter for the verdict first, and how many more cases failed than are known.
func (c conversation) allFailures() (all []failure, hidden int) {
	for _, required := range []bool{true, false} {
		for _, r := range c.rows {
			for _, s := range r.cells {
				if s == nil || !s.bad() || s.required() != required {
					continue
				}
				all = append(all, s.failures()...)
				if n := s.status.Cases; n != nil && len(s.status.Failures) > 0 {
					hidden += max(int(n.Failed+n.Errored)-len(s.status.Failures), 0)
				}
			}
		}
	}
	return all, hidden
}

// failures gives what is known to be wrong with a suite: what ended it comes before its cases.
func (s *suite) failures() []failure {
	var all []failure
	whole := func(message string) failure {
		return failure{suite: s, CaseFailure: v1alpha1.CaseFailure{Message: message}}
	}
	switch {
	case s.stopped():
		all = append(all, whole(s.status.Message))
	case len(s.status.Failures) == 0:
		all = append(all, whole(joined(s.status.Reason, s.status.Message)))
	}
	for _, f := range s.status.Failures {
		all = append(all, failure{suite: s, CaseFailure: f})
	}
	all[0].output = s.status.Output
	return all
}

func (f failure) title() string {
	title := fmt.Sprintf("%s on %s", f.suite.status.Name, f.suite.run.Spec.Environment)
	if f.Name != "" {
		title += ": " + f.Name
	}
	return title
}

func (f failure) details(bytes, output int) string {
	var parts []string
	if f.File != "" {
		where := f.File
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		parts = append(parts, "At "+inline(where, 300))
	}
	if len(f.suite.plan.Owners) > 0 {
		parts = append(parts, "Owned by "+inline(names(f.suite.plan.Owners), 200))
	}
	if f.suite.plan.File != "" {
		parts = append(parts, "Defined in "+inline(f.suite.plan.File, 300))
	}
	content := strings.Join(parts, " · ")
	if strings.TrimSpace(printable(f.Message)) != "" {
		content = strings.TrimPrefix(content+"\n\n"+block(f.Message, bytes), "\n\n")
	}
	if strings.TrimSpace(printable(f.output)) != "" {
		content = strings.TrimPrefix(content+"\n\nThe end of its output:\n\n"+ending(f.output, output), "\n\n")
	}
	if content == "" {
		content = "No message."
	}
	return details(glyph(f.suite.status.State)+" "+summary(f.title(), 160), content, false)
}
