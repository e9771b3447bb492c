package report

import "fmt"

func (p *tapParser) plan(l tapLine) {
	p.flush(p.top())
	level := p.top()
	if level.planned >= 0 {
		p.warn("a second plan, %q, is ignored", l.text)
		return
	}
	level.planned = l.number
	if l.number == 0 {
		level.skipAll = &l.text
	}
}

// checkPlan adds a case where the plan of a level does not hold.
func (p *tapParser) checkPlan(level *tapLevel) {
	document := level == p.levels[0]
	add := func(c Case, format string, args ...any) {
		level.bad++
		c.Name, c.Message, c.Details = "plan", fmt.Sprintf(format, args...), p.output.String()
		p.add(c)
	}
	switch {
	case level.planned < 0 && !document:
	case level.planned < 0:
		p.report.Truncated = true
		if level.ran > 0 {
			add(Case{Status: Errored, Torn: true}, "no plan: the script ended early, or does not print 1..%d for its %d tests", level.ran, level.ran)
		}
	case level.ran == 0 && level.skipAll != nil:
		if document {
			add(Case{Status: Skipped}, "%s", firstOf(*level.skipAll, "the script planned no tests"))
			level.bad--
		}
	case level.ran < level.planned:
		p.report.Truncated = true
		add(Case{Status: Errored, Torn: true}, "planned %d tests, ran %d: the script ended early", level.planned, level.ran)
	case level.ran > level.planned:
		add(Case{Status: Errored}, "planned %d tests, ran %d: mend the plan", level.planned, level.ran)
	}
}
