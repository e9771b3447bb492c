package report

import "fmt"

// junitSuite is an open testsuite, or the testsuites around them.
type junitSuite struct {
	parent *junitSuite
	name   string // own, for messages
	path   string // with the parents', for the cases
	file   string

	claimedTests, claimedBad int
	cases, bad               int // found, or explained already, here and below

	out, err text
	failure  *junitCase // a result of the suite itself: its class did not load, its set-up broke
}

func newJUnitSuite(b *builder, element string, attrs junitAttrs, parent *junitSuite) *junitSuite {
	s := &junitSuite{
		parent:       parent,
		file:         attrs.get("file", "filepath"),
		claimedTests: parseCount(attrs.get("tests")),
		claimedBad:   parseCount(attrs.get("failures")) + parseCount(attrs.get("errors")),
		out:          b.newText(b.limits.Output),
		err:          b.newText(b.limits.Output),
	}
	s.name = line(attrs.get("name"), b.limits.Name)
	if element == "testsuite" {
		s.path = s.name
	}
	if parent != nil {
		s.path = joinPath(parent.path, s.path, b.limits.Name)
		s.file = firstOf(s.file, parent.file)
	}
	return s
}

// joinPath puts a name below its parents'.
func joinPath(parent, name string, limit int) string {
	if parent == "" || name == "" {
		return parent + name
	}
	return clip(parent+" > "+name, limit)
}

// open gives the text for an element directly in the suite.
func (s *junitSuite) open(name string, attrs junitAttrs, around *text) *text {
	switch name {
	case "system-out":
		return &s.out
	case "system-err":
		return &s.err
	case "error", "failure":
		return s.failure.orNew(s).open(name, attrs, nil)
	}
	return around
}

// orNew gives the case that stands for the suite's own failure.
func (c *junitCase) orNew(s *junitSuite) *junitCase {
	if c == nil {
		c = &junitCase{suite: s, one: Case{Suite: s.path, ClassName: s.name, Name: "(suite)", File: s.file}, own: true}
		s.failure = c
	}
	return c
}

// close reports what the suite says beyond its cases; whole says that its end was seen.
func (s *junitSuite) close(b *builder, whole bool) {
	if s.failure != nil {
		s.failure.close(b, true)
	}
	if whole {
		s.explainTests(b)
		s.explainFailures(b)
	}
	if s.parent != nil {
		s.parent.cases += s.cases
		s.parent.bad += s.bad
	}
}

// explainTests warns of tests that a suite announces and does not hold.
func (s *junitSuite) explainTests(b *builder) {
	if s.cases == 0 && s.claimedTests > 0 {
		b.warn("suite %q claims %d tests but holds none", s.name, s.claimedTests)
		s.cases = s.claimedTests
	}
}

// explainFailures keeps a claim of failures that no case shows. newman loses failures this way; surefire counts flaky
// cases this way: only the tool's exit code tells them apart.
func (s *junitSuite) explainFailures(b *builder) {
	lost := s.claimedBad - s.bad
	if lost <= 0 {
		return
	}
	s.bad = s.claimedBad
	if len(b.report.Unexplained) >= b.limits.Warnings {
		return
	}
	b.report.Unexplained = append(b.report.Unexplained, b.settled(Case{
		Suite:     s.path,
		ClassName: s.name,
		Name:      "(failures without a case)",
		File:      s.file,
		Status:    Failed,
		Message:   fmt.Sprintf("the suite claims %d failures and errors, %d more than its cases show", s.claimedBad, lost),
		Stdout:    s.out.String(),
		Stderr:    s.err.String(),
	}))
}
