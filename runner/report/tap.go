package report

import (
	"io"
	"strconv"
	"strings"
)

// maxSubtests bounds the nesting of TAP subtests; what is indented deeper is output.
const maxSubtests = 16

// tapParser reads TAP 12, 13 and 14. The grammar of a line is in tap_line.go, the YAML blocks are in tap_yaml.go.
//
// A directive wins over "not ok" (bats prints skips so); a failed TODO is skipped, as it was expected; a plan that is
// missing or does not hold is an errored case named "plan", and so is a bail-out under its own name. Subtests are cases
// in a suite named for their parent, and the parent is a Group.
type tapParser struct {
	*builder
	levels    []*tapLevel // open ones, the document first
	announced string      // by "# Subtest: NAME", for the next level
	output    text        // lines that are not TAP, for the next test
	yaml      *tapYAML    // open block
	known     bool        // a line of TAP was seen
	bailed    bool
	points    int // test lines
	timed     int // of these, with a time at the end of the description
}

// tapLevel is the document or an open subtest.
type tapLevel struct {
	name    string // announced
	first   int    // index of its first case in the report
	planned int    // -1 before the plan
	skipAll *string
	ran     int
	bad     int
	last    *tapTest // open for the lines that belong to it
	block   *tapTest // the test whose subtests are in braces behind it
}

// tapTest is a test line and what follows it.
type tapTest struct {
	one     Case
	details text
}

func parseTAP(r io.Reader, limits Limits) (Report, error) {
	p := &tapParser{builder: newBuilder(TAP, r, limits)}
	p.output = p.newText(limits.Output)
	p.levels = []*tapLevel{{planned: -1}}
	in := newLines(p.source)
	for {
		raw, _, ok := in.next()
		if !ok {
			break
		}
		p.line(string(raw))
	}
	p.endDocument()
	p.takeTimes()
	return p.finish(p.foreign())
}

func (p *tapParser) line(raw string) {
	if p.bailed || p.inYAML(raw) {
		return
	}
	l := readTAPLine(raw)
	if l.kind == tapYAMLStart && p.openYAML(l.indent) {
		return
	}
	depth := l.indent / 4
	if l.indent%4 != 0 || depth > len(p.levels) || depth > maxSubtests {
		l.kind = tapOther
	}
	switch l.kind {
	case tapOther, tapYAMLStart:
		p.output.write(raw + "\n")
		return
	case tapComment:
		p.diagnose(l.text)
		return
	case tapSubtest:
		p.announce(depth, l.text)
		return
	case tapPragma:
		return
	}
	p.known = true
	switch l.kind {
	case tapVersion:
		if depth == 0 && p.levels[0].ran > 0 { // a second file behind the first
			p.endDocument()
			p.levels = []*tapLevel{{planned: -1, first: len(p.report.Cases)}}
		}
	case tapBail:
		p.bail(l.text)
	case tapPlan:
		p.enter(depth)
		p.plan(l)
	case tapPoint:
		p.point(depth, l)
	case tapBrace:
		p.closeBlock(depth)
	}
}

func (p *tapParser) top() *tapLevel { return p.levels[len(p.levels)-1] }

// diagnose adds a comment to the test before it.
func (p *tapParser) diagnose(comment string) {
	if t := p.top().last; t != nil {
		t.details.write(comment + "\n")
	}
}

// point takes a test line: its own subtests, if any, are the level that is open below it.
func (p *tapParser) point(depth int, l tapLine) {
	if depth < len(p.levels) && p.levels[depth].block != nil {
		p.closeBlock(depth)
	}
	var child *tapLevel
	if depth < len(p.levels)-1 {
		p.enter(depth + 1)
		child = p.leave()
	}
	p.enter(depth)
	level := p.top()
	p.flush(level)
	level.ran++
	p.points++
	if l.number > 0 && l.number != level.ran {
		p.warn("test %q has the number %d, expected %d", l.name, l.number, level.ran)
	}
	t := &tapTest{details: p.newText(p.limits.Details), one: Case{
		Name: firstOf(l.name, "test "+strconv.Itoa(level.ran)), Status: l.status, Message: l.text, Duration: l.duration, Stdout: p.output.String(),
	}}
	if _, _, ok := cutTime(l.name); ok {
		p.timed++
	}
	p.output = p.newText(p.limits.Output)
	p.adopt(t, child)
	level.last = t
	if l.block {
		level.last, level.block = nil, t
	}
}

// flush adds the level's open test to the report.
func (p *tapParser) flush(level *tapLevel) {
	t := level.last
	if t == nil {
		return
	}
	level.last = nil
	if t.one.Status.Bad() {
		level.bad++
		t.one.Details = t.details.String()
	} else {
		t.one.Stdout = strings.TrimLeft(t.one.Stdout+"\n"+t.details.String(), "\n")
	}
	p.add(t.one)
}

func (p *tapParser) bail(reason string) {
	for len(p.levels) > 1 {
		p.enter(len(p.levels) - 2)
	}
	p.flush(p.top())
	p.bailed = true
	p.add(Case{Name: "Bail out!", Status: Errored, Message: firstOf(reason, "the test script gave up"), Stdout: p.output.String()})
}

// endDocument closes every level.
func (p *tapParser) endDocument() {
	p.yaml = nil
	p.enter(0)
	p.closeBlockOf(p.top())
	p.flush(p.top())
	if p.known && !p.bailed {
		p.checkPlan(p.top())
	}
}

// takeTimes moves "in 12ms" from the names to the durations when every test has it, as bats -T writes.
func (p *tapParser) takeTimes() {
	if p.points == 0 || p.timed != p.points {
		return
	}
	for i := range p.report.Cases {
		c := &p.report.Cases[i]
		if name, took, ok := cutTime(c.Name); ok {
			p.kept -= int64(len(c.Name) - len(name))
			c.Name, c.Duration = name, took
		}
	}
}

func (p *tapParser) foreign() *Error {
	if p.known {
		return nil
	}
	return &Error{
		Problem: ErrFormat,
		Detail:  `no line of it is a plan ("1..3"), "ok" or "not ok"`,
		Remedy:  "let the script print TAP on standard output, or name the format that it writes",
	}
}
