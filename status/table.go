package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

const (
	// foldAbove is the number of rows above which suites that passed everywhere are folded.
	foldAbove = 10
	// shortRows is the number of rows that a short table keeps.
	shortRows = 20
)

// rows gives a row for each suite that runs somewhere: those that went wrong first, then
// those that are open, then the rest; by name within.
func rows(suites [][]suite) []row {
	byName := map[string]*row{}
	for i, run := range suites {
		for _, s := range run {
			if byName[s.status.Name] == nil {
				byName[s.status.Name] = &row{name: s.status.Name, cells: make([]*suite, len(suites))}
			}
			byName[s.status.Name].cells[i] = &s
		}
	}
	var all []row
	for _, r := range byName {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b row) int { return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.name, b.name)) })
	return all
}

// rank is 0 for a row that went wrong, 2 for one that passed everywhere it runs.
func (r row) rank() int {
	rank := 2
	for _, s := range r.cells {
		switch {
		case s == nil || s.status.State == v1alpha1.StatePassed:
		case s.bad():
			return 0
		default:
			rank = 1
		}
	}
	return rank
}

// table shows suites and environments. When all is green it is folded away whole.
func (c conversation) table(d detail) string {
	if len(c.rows) == 0 {
		return ""
	}
	var loud, quiet []row
	for _, r := range c.rows {
		if r.rank() == 2 && (d <= withoutPassed || len(c.rows) > foldAbove) {
			quiet = append(quiet, r)
		} else {
			loud = append(loud, r)
		}
	}
	if d > withoutPassed && c.green() {
		return details(summary(count(len(c.rows), "suite")+", all passed", 100), c.grid(c.rows), false)
	}
	var parts []string
	cutRows := 0
	if d <= shortTable && len(loud) > shortRows {
		cutRows, loud = len(loud)-shortRows, loud[:shortRows]
	}
	if len(loud) > 0 {
		parts = append(parts, c.grid(loud))
	}
	if cutRows > 0 {
		parts = append(parts, fmt.Sprintf("… and %s more", count(cutRows, "suite")))
	}
	switch {
	case len(quiet) == 0:
	case d <= withoutPassed:
		parts = append(parts, glyph(v1alpha1.StatePassed)+" "+count(len(quiet), "more suite")+" passed")
	default:
		parts = append(parts, details(summary(count(len(quiet), "more suite")+" passed", 100), c.grid(quiet), false))
	}
	return strings.Join(parts, "\n\n")
}

func (c conversation) grid(rows []row) string {
	var b strings.Builder
	b.WriteString("| Suite |")
	for _, r := range c.runs {
		b.WriteString(" " + inline(r.Spec.Environment, 63) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(c.runs)))
	for _, r := range rows {
		b.WriteString("\n| " + inline(r.name, 63) + " |")
		for i, s := range r.cells {
			if s == nil {
				b.WriteString(" " + absent(r.name, c.runs[i]) + " |")
			} else {
				b.WriteString(" " + c.cell(s) + " |")
			}
		}
	}
	return b.String()
}

// absent says why a suite of another environment does not run in this one.
func absent(name string, r *v1alpha1.TestRun) string {
	switch {
	case slices.ContainsFunc(r.Status.Plan, func(p v1alpha1.PlannedSuite) bool { return p.Suite == name }):
		return glyph(v1alpha1.StateSkipped) + " left out"
	case runner.IsPlanned(r):
		return "➖ not there"
	}
	return glyph(runner.StateOf(r)) + " no plan"
}

// cell says how a suite stands in an environment, with a glyph and a word.
func (c conversation) cell(s *suite) string {
	text := glyph(s.status.State) + " " + word(s)
	switch {
	case s.plan.Reused != nil:
		text += ", from " + c.link(s.ranIn())
	case s.renewed:
		text += ", again in " + c.link(s.run)
	}
	if !s.required() {
		text += " (" + inline(string(s.plan.Gate), 20) + ")"
	}
	return text
}

// link names a run other than the one that speaks.
func (c conversation) link(r *v1alpha1.TestRun) string {
	name := inline(r.Name, 63)
	if url := target(c.in, r); url != "" {
		return fmt.Sprintf("[%s](<%s>)", name, url)
	}
	return name
}

func word(s *suite) string {
	c := s.status.Cases
	switch s.status.State {
	case "", v1alpha1.StatePending, v1alpha1.StateRunning:
		return "runs"
	case v1alpha1.StateCancelled:
		return "cancelled"
	case v1alpha1.StateSkipped:
		return "left out"
	case v1alpha1.StatePassed:
		if c != nil && c.Total > 0 {
			return fmt.Sprintf("%d passed%s", c.Passed, aside(c))
		}
		return "passed"
	case v1alpha1.StateFailed:
		text := "failed"
		if s.stopped() {
			text = inline(s.status.Message, 80)
		}
		if c != nil && c.Failed+c.Errored > 0 {
			cases := fmt.Sprintf("%d of %d failed%s", c.Failed+c.Errored, c.Total, aside(c))
			text = strings.TrimPrefix(text+", "+cases, "failed, ")
		}
		return text
	}
	if s.status.Reason != "" {
		return "errored: " + inline(s.status.Reason, 64)
	}
	return "errored"
}
