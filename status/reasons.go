package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	// listed is the most entries of a folded list.
	listed = 100
	// reasonsEach is the most reasons that are given for one suite.
	reasonsEach = 5
)

// leftOut folds away the suites that do not run, with the reason for each.
func (c conversation) leftOut() string {
	lines, n := c.entries(false)
	if n == 0 {
		return ""
	}
	return details("Left out: "+count(n, "suite"), lines, false)
}

// reasons folds away why the others run.
func (c conversation) reasons() string {
	lines, n := c.entries(true)
	if n == 0 {
		return ""
	}
	return details("Why these suites run", lines, false)
}

// entries gives a line for each suite and its reasons, with the environments they hold for,
// and how many suites there are; run says whether those that run are asked for.
func (c conversation) entries(run bool) (lines string, suites int) {
	type entry struct{ suite, reasons string }
	named := map[string]bool{}
	environments := map[entry][]string{}
	for _, r := range c.runs {
		for _, p := range r.Status.Plan {
			if p.Run != run {
				continue
			}
			shown := p.Reasons[:min(len(p.Reasons), reasonsEach)]
			line := strings.Join(shown, "; ")
			if n := len(p.Reasons) - len(shown); n > 0 {
				line += fmt.Sprintf("; and %d more", n)
			}
			key := entry{p.Suite, line}
			named[p.Suite] = true
			environments[key] = append(environments[key], r.Spec.Environment)
		}
	}
	var keys []entry
	for key := range environments {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.suite, b.suite), cmp.Compare(environments[a][0], environments[b][0]), cmp.Compare(a.reasons, b.reasons))
	})
	var out []string
	for _, key := range keys[:min(len(keys), listed)] {
		where := ""
		if len(c.runs) > 1 {
			where = " (" + inline(strings.Join(environments[key], ", "), 200) + ")"
		}
		out = append(out, fmt.Sprintf("- **%s**%s: %s", inline(key.suite, 63), where, inline(cmp.Or(key.reasons, "no reason is known"), 600)))
	}
	if n := len(keys) - listed; n > 0 {
		out = append(out, fmt.Sprintf("- and %d more", n))
	}
	return strings.Join(out, "\n"), len(named)
}
