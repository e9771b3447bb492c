package status

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// comment says how the change stands in every environment: a verdict, a table of suites and
// environments, the failures, what changes in the catalogs, what was left out, why the rest
// ran, and how to run it again.
// speakers holds one for each environment. The fullest form that fits is taken.
func comment(in ComposeInput, speakers []runner.Merged, marker string) string {
	limit := in.Limits.Comment
	if limit <= 0 {
		limit = 65536
	}
	c := newConversation(in, speakers)
	for detail := everything; detail > headlineOnly; detail-- {
		if body := c.body(marker, detail); len(body) <= limit {
			return body
		}
	}
	body := c.body(marker, headlineOnly)
	if len(body) > limit {
		return ""
	}
	return body
}

// detail says how much of the comment is there. Each level drops one thing more, what is
// missed least first.
type detail int

const (
	headlineOnly detail = iota
	shortTable          // the table has its first rows only, and no failure is shown
	failureNames        // of failures the names only
	shortMessages
	withoutPassed  // the table leaves out suites that passed everywhere
	withoutLeftOut // nor is said what was left out
	withoutReasons // nor why the others ran
	withoutChanges // of the catalogs' changes the number only
	everything
)

// conversation is what the parts of the comment are made from.
type conversation struct {
	in       ComposeInput
	speakers []runner.Merged     // one for each environment, sorted by environment
	runs     []*v1alpha1.TestRun // of each speaker
	suites   [][]suite           // of each speaker
	rows     []row
}

// row is a suite in all environments.
type row struct {
	name  string
	cells []*suite // as runs; nil where it does not run
}

func newConversation(in ComposeInput, speakers []runner.Merged) conversation {
	c := conversation{in: in, speakers: speakers}
	for _, m := range speakers {
		c.runs = append(c.runs, m.Run)
		c.suites = append(c.suites, suitesOf(m))
	}
	c.rows = rows(c.suites)
	return c
}

func (c conversation) body(marker string, d detail) string {
	parts := []string{marker + "\n### " + c.headline()}
	if d > headlineOnly {
		parts = append(parts, c.subject(), c.faults(), c.table(d), c.failures(d), c.changes(d))
	}
	if d > withoutLeftOut {
		parts = append(parts, c.leftOut())
	}
	if d > withoutReasons {
		parts = append(parts, c.reasons())
	}
	if d < everything {
		parts = append(parts, "Parts of this comment are left out, as it would be too long.")
	}
	if d > headlineOnly {
		parts = append(parts, c.again(d))
	}
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, "\n\n") + "\n"
}

// headline is the verdict in a line, with a glyph and words.
func (c conversation) headline() string {
	var total, failed, errored, lenient, open, cancelled, unplanned int
	for i, r := range c.runs {
		t := tallyOf(c.speakers[i])
		total, lenient = total+t.suites, lenient+len(t.lenient)
		failed, errored = failed+len(t.failed), errored+len(t.errored)
		switch state := runner.StateOf(r); {
		case state == v1alpha1.StateCancelled:
			cancelled++
		case c.broken(i):
			unplanned++
		case !state.Final():
			open++
		}
	}
	switch {
	case failed > 0 && errored > 0:
		return fmt.Sprintf("%s %d of %s did not pass: %d failed, %d errored",
			glyph(v1alpha1.StateFailed), failed+errored, count(total, "suite"), failed, errored)
	case failed > 0:
		return fmt.Sprintf("%s %d of %s failed", glyph(v1alpha1.StateFailed), failed, count(total, "suite"))
	case errored > 0:
		return fmt.Sprintf("%s %d of %s errored", glyph(v1alpha1.StateErrored), errored, count(total, "suite"))
	case unplanned > 0:
		return fmt.Sprintf("%s The suites could not be run", glyph(v1alpha1.StateErrored))
	case open > 0:
		return fmt.Sprintf("%s The suites run", glyph(v1alpha1.StateRunning))
	case cancelled > 0:
		return fmt.Sprintf("%s Cancelled before the end", glyph(v1alpha1.StateCancelled))
	case total == 0:
		return glyph(v1alpha1.StatePassed) + " No suite is concerned by this change"
	case lenient > 0:
		return fmt.Sprintf("%s All required suites passed, %s did not",
			glyph(v1alpha1.StatePassed), count(lenient, "other"))
	}
	return fmt.Sprintf("%s %s passed", glyph(v1alpha1.StatePassed), count(total, "suite"))
}

// green says whether there is nothing left to look at.
func (c conversation) green() bool {
	for _, r := range c.runs {
		if runner.StateOf(r) != v1alpha1.StatePassed {
			return false
		}
	}
	return !anyBad(c.speakers)
}

// subject names the commit and how each environment stands.
func (c conversation) subject() string {
	parts := []string{"Commit " + inline(c.in.Commit[:min(len(c.in.Commit), 12)], 12)}
	for i, r := range c.runs {
		text := inline(r.Spec.Environment, 63)
		if url := target(c.in, r); url != "" {
			text = fmt.Sprintf("[%s](<%s>)", text, url)
		}
		line := describe(c.speakers[i])
		if c.broken(i) {
			line = "not run"
		}
		parts = append(parts, fmt.Sprintf("**%s**: %s", text, inline(line, 200)))
	}
	return strings.Join(parts, " · ")
}

// broken says whether something kept the run of an environment from having suites at all.
func (c conversation) broken(i int) bool {
	return runner.StateOf(c.runs[i]) == v1alpha1.StateErrored && len(c.suites[i]) == 0
}

// faults shows in full what kept runs from having suites at all.
func (c conversation) faults() string {
	var parts []string
	for i, r := range c.runs {
		if c.broken(i) {
			parts = append(parts, fmt.Sprintf("What is wrong for **%s**:\n\n%s",
				inline(r.Spec.Environment, 63), block(faultOf(r), 2048)))
		}
	}
	return strings.Join(parts, "\n\n")
}

// details folds Markdown away. The summary is inert already; the blank lines let the content
// be parsed.
func details(summary, content string, open bool) string {
	tag := "<details>"
	if open {
		tag = "<details open>"
	}
	return tag + "<summary>" + summary + "</summary>\n\n" + content + "\n\n</details>"
}

func glyph(s v1alpha1.RunState) string {
	switch s {
	case v1alpha1.StatePassed:
		return "✅"
	case v1alpha1.StateFailed:
		return "❌"
	case v1alpha1.StateSkipped:
		return "⏭️"
	case v1alpha1.StateCancelled:
		return "🚫"
	case "", v1alpha1.StatePending, v1alpha1.StateRunning:
		return "🕓"
	}
	return "🔥"
}
