package report

import (
	"strings"
)

// junitCase is an open testcase.
type junitCase struct {
	suite *junitSuite // nil for a testcase without one
	one   Case
	own   bool // stands for the suite's own failure, not for a testcase

	worst           Status // of the results seen; empty for none
	results         int    // failures, errors and failed attempts
	flaky, reruns   int    // attempts that failed before a pass, and before a failure
	message         string // of the worst result
	attemptMessage  string // of the first failed attempt
	details, out, e text
}

func newJUnitCase(b *builder, attrs junitAttrs, suite *junitSuite) *junitCase {
	c := &junitCase{
		suite:   suite,
		details: b.newText(b.limits.Details),
		out:     b.newText(b.limits.Output),
		e:       b.newText(b.limits.Output),
		one: Case{
			ClassName: attrs.get("classname", "class"),
			Name:      attrs.get("name"),
			File:      attrs.get("file", "filepath"),
			Line:      parseCount(attrs.get("line", "lineno")),
			Duration:  parseSeconds(attrs.get("time", "duration")),
		},
	}
	c.byAttribute(attrs.get("status", "result"))
	if suite != nil {
		c.one.Suite = suite.path
		c.one.ClassName = firstOf(c.one.ClassName, suite.name)
		c.one.File = firstOf(c.one.File, suite.file)
	}
	return c
}

// byAttribute reads the outcome that some tools write as an attribute.
func (c *junitCase) byAttribute(status string) {
	switch strings.ToLower(status) {
	case "disabled", "ignored", "notrun", "not run", "skipped", "pending":
		c.worst = Skipped
	case "fail", "failed", "failure":
		c.worst = Failed
	case "error", "errored":
		c.worst = Errored
	}
}

// open takes note of an element in the case and gives the text for its characters; around is that of its parent.
func (c *junitCase) open(name string, attrs junitAttrs, around *text) *text {
	switch name {
	case "failure":
		return c.result(Failed, attrs)
	case "error":
		return c.result(Errored, attrs)
	case "skipped", "disabled", "ignored":
		return c.result(Skipped, attrs)
	case "flakyFailure", "flakyError":
		c.flaky++
		return c.attempt(attrs)
	case "rerunFailure", "rerunError":
		c.reruns++
		return c.attempt(attrs)
	case "system-out":
		return &c.out
	case "system-err":
		return &c.e
	}
	return around // stackTrace, and what else a tool nests in a result
}

// severity orders results: the worst of a case wins.
var severity = map[Status]int{Skipped: 1, Failed: 2, Errored: 3}

func (c *junitCase) result(status Status, attrs junitAttrs) *text {
	if status.Bad() {
		c.results++
	}
	message := attrs.get("message")
	if severity[status] > severity[c.worst] || status == c.worst && c.message == "" {
		c.worst = status
		c.message = firstOf(message, attrs.get("type"))
	}
	c.separate(message)
	return &c.details
}

func (c *junitCase) attempt(attrs junitAttrs) *text {
	c.results++
	message := firstOf(attrs.get("message"), attrs.get("type"))
	c.attemptMessage = firstOf(c.attemptMessage, message)
	c.separate(message)
	return &c.details
}

// separate heads every result after the first, so that their traces can be told apart.
func (c *junitCase) separate(message string) {
	if c.details.total > 0 {
		c.details.write("\n\n" + message + "\n")
	}
}

// close adds the case; whole says that its end was seen. A case that broke off is kept only when it had failed by then:
// it might have gone on to.
func (c *junitCase) close(b *builder, whole bool) {
	status := c.status()
	if !whole && !status.Bad() {
		b.warn("case %q is left out: the report breaks off in it", line(c.one.Name, b.limits.Name))
		return
	}
	one := c.one
	one.Status = status
	one.Attempts = 1 + c.flaky + c.reruns
	one.Flaky = status == Passed && c.flaky > 0
	one.Message = firstOf(c.message, c.attemptMessage)
	one.Details = c.details.String()
	one.Stdout, one.Stderr = c.out.String(), c.e.String()
	if one.Status == Skipped && one.Message == "" {
		one.Message, one.Details = one.Details, ""
	}
	b.add(one)
	if c.suite != nil {
		c.suite.bad += c.results
		if !c.own {
			c.suite.cases++
		}
	}
}

func (c *junitCase) status() Status {
	switch {
	case c.worst != "":
		return c.worst
	case c.reruns > 0:
		return Failed
	}
	return Passed
}
