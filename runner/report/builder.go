package report

import (
	"fmt"
	"io"
	"strings"
)

// builder is what the parsers share: it keeps the limits, cleans and cuts texts, and ends in a report or an error.
type builder struct {
	format Format
	limits Limits
	source *source
	report Report
	kept   int64 // bytes of text in report.Cases
}

func newBuilder(format Format, r io.Reader, limits Limits) *builder {
	return &builder{format: format, limits: limits, source: &source{r: r, left: limits.Bytes}}
}

// add keeps the case, or counts it where the limits are reached. Details and outputs come clean, from a text.
func (b *builder) add(c Case) {
	if len(b.report.Cases) >= b.limits.Cases {
		b.omit(&c)
		return
	}
	c = b.settled(c)
	size := c.size()
	if b.kept+size > b.limits.Bytes {
		b.omit(&c)
		return
	}
	b.kept += size
	b.report.Cases = append(b.report.Cases, c)
}

func (b *builder) omit(c *Case) {
	if b.report.Omitted == (Counts{}) {
		b.warn("only %d cases are kept, the others are counted: the report is over the limit", len(b.report.Cases))
	}
	b.report.Omitted.add(c)
}

// settled gives the case as a report may hold it.
func (b *builder) settled(c Case) Case {
	c.Suite = line(c.Suite, b.limits.Name)
	c.ClassName = line(c.ClassName, b.limits.Name)
	c.Name = line(c.Name, b.limits.Name)
	c.File = line(c.File, b.limits.Name)
	if c.Name == "" {
		c.Name = clip("(unnamed)", b.limits.Name)
	}
	c.Line = max(c.Line, 0)
	c.Attempts = max(c.Attempts, 1)
	c.Duration = clampDuration(c.Duration)
	c.Details = recut(c.Details, b.limits.Details)
	if !c.Status.Bad() {
		out := b.limits.PassedOutput
		c.Stdout, c.Stderr = recut(c.Stdout, out), recut(c.Stderr, out)
	}
	c.Message = clip(strings.TrimSpace(clean(c.Message)), b.limits.Message)
	if c.Status.Bad() && saysNothing(c.Message) {
		c.Message = clip(firstOf(tellingLine(c.Details), c.Message, string(c.Status)), b.limits.Message)
	}
	return c
}

func (b *builder) warn(format string, args ...any) {
	if len(b.report.Warnings) < b.limits.Warnings { // first of all: what is dropped should cost nothing
		b.report.Warnings = append(b.report.Warnings, line(fmt.Sprintf(format, args...), 500))
	}
}

func (b *builder) newText(limit int) text { return text{limit: limit} }

// cases is the number of cases so far, omitted ones included.
func (b *builder) cases() int { return len(b.report.Cases) + b.report.Omitted.Total }

// finish ends the report. foreign says why the file is not of the format at all; nil when it is.
func (b *builder) finish(foreign *Error) (Report, error) {
	number(b.report.Cases)
	fail := func(e Error) (Report, error) {
		e.Format = b.format
		return b.report, &e
	}
	switch {
	case b.source.failed != nil:
		b.report.Truncated = true
		return fail(Error{Problem: ErrUnreadable, Err: b.source.failed})
	case b.source.tooLarge:
		b.report.Truncated = true
		return fail(Error{
			Problem: ErrTooLarge,
			Detail:  fmt.Sprintf("over %d bytes", b.limits.Bytes),
			Remedy:  "let the tool write less output into its report, or split the suite into shards",
		})
	case !b.source.written:
		return fail(Error{
			Problem: ErrEmpty,
			Remedy:  "let the command write its results there",
		})
	case foreign != nil:
		return fail(*foreign)
	case b.report.Truncated && b.cases() == 0:
		return fail(Error{
			Problem: ErrFormat,
			Detail:  "it breaks off before its first case",
			Remedy:  "let the command end only when its report is written",
		})
	}
	return b.report, nil
}

// number gives the cases of one identity their ordinals.
func number(cases []Case) {
	type identity struct{ suite, class, name, file string }
	type place struct{ first, count int }
	seen := make(map[identity]place, len(cases))
	for i := range cases {
		c := &cases[i]
		id := identity{c.Suite, c.ClassName, c.Name, c.File}
		p, again := seen[id]
		if !again {
			c.Ordinal = 0
			seen[id] = place{i, 1}
			continue
		}
		p.count++
		cases[p.first].Ordinal = 1
		c.Ordinal = p.count
		seen[id] = p
	}
}

func (c *Case) size() int64 {
	return int64(len(c.Suite) + len(c.ClassName) + len(c.Name) + len(c.File) +
		len(c.Message) + len(c.Details) + len(c.Stdout) + len(c.Stderr))
}

// recut shortens text that was already cut to a larger limit.
func recut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	t := text{limit: limit}
	t.write(s)
	return t.String()
}
