package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// driftText prints for each catalog a line, and the three parts below it.
func driftText(out io.Writer, found []repositoryDrift) {
	first := true
	for _, r := range found {
		if len(r.Catalogs) == 0 {
			fmt.Fprintf(out, "%s: %s\n", clean(r.Repository), nothingKnown(r))
		}
		for _, c := range r.Catalogs {
			if !first {
				fmt.Fprintln(out)
			}
			first = false
			suspended := ""
			if r.Suspended {
				suspended = ", as it was before the TestRepository was suspended"
			}
			fmt.Fprintf(out, "%s in %s: %s at %s%s\n", clean(r.Repository), clean(c.Environment), clean(c.Branch), clean(shortCommit(c.Head)), suspended)
			c.clusterText(out)
			c.apartText(out)
			c.passedText(out)
		}
	}
}

func nothingKnown(r repositoryDrift) string {
	if r.Policy == v1alpha1.CatalogNone {
		return "no catalog is shown in the cluster, as spec.catalog is None"
	}
	return "nothing is known yet"
}

func (c catalogDrift) clusterText(out io.Writer) {
	n := c.Cluster
	switch {
	case n.Commit == "":
		row(out, "  cluster", "shows nothing yet")
	case n.Commit != c.Head:
		row(out, "  cluster", fmt.Sprintf("shows %s still, %s", shortCommit(n.Commit), suitesWord(n.Suites)))
	case n.Count == 0:
		row(out, "  cluster", suitesWord(n.Suites)+", as in Git")
	default:
		row(out, "  cluster", fmt.Sprintf("%s, %d not as in Git", suitesWord(n.Suites), n.Count))
	}
	if n.Problem != "" {
		row(out, "", n.Problem)
	}
	for _, d := range n.Drifted {
		text := d.Suite + ": " + strings.ToLower(d.Reason)
		if d.Fields != "" {
			text += ": " + d.Fields
		}
		row(out, "", text)
	}
	if more := int(n.Count) - len(n.Drifted); more > 0 {
		row(out, "", fmt.Sprintf("and %d more", more))
	}
}

func (c catalogDrift) apartText(out io.Writer) {
	a := c.Apart
	if a == nil {
		return
	}
	title := "  environments"
	line := func(text string) {
		row(out, title, text)
		title = ""
	}
	for _, part := range []struct {
		word  string
		names *v1alpha1.SuiteNames
	}{{"only here: ", a.OnlyHere}, {"missing here: ", a.MissingHere}, {"suspended here: ", a.SuspendedHere}} {
		if part.names != nil {
			line(part.word + namesText(part.names))
		}
	}
	if a.Differing != nil {
		for _, s := range a.Differing.Suites {
			text := s.Suite + " differs: " + strings.Join(s.Fields, ", ")
			if s.More > 0 {
				text += fmt.Sprintf(" and %d more", s.More)
			}
			line(text)
		}
		if more := int(a.Differing.Count) - len(a.Differing.Suites); more > 0 {
			line(fmt.Sprintf("and %d more suites differ", more))
		}
	}
	if title != "" {
		line("no difference")
	}
}

func (c catalogDrift) passedText(out io.Writer) {
	expected, atHead := 0, 0
	var others []suitePassed
	for _, p := range c.Passed {
		switch {
		case p.Suspended:
			continue
		case p.LastPassed != nil && p.Behind == 0 && !p.Changed:
			atHead++
		default:
			others = append(others, p)
		}
		expected++
	}
	row(out, "  passed", fmt.Sprintf("%d of %s at the head", atHead, suitesWord(int32(expected))))
	for _, p := range others {
		row(out, "", p.Suite+": "+p.text())
	}
}

// text says where a suite last passed, such as "at 1a2b3c4, 3 heads ago (2026-01-02 03:04
// UTC), changed since".
func (p suitePassed) text() string {
	if p.LastPassed == nil {
		return "no pass is known"
	}
	text := "at " + shortCommit(p.LastPassed.Commit)
	switch {
	case p.AtLeast:
		text += fmt.Sprintf(", %d heads ago or more", p.Behind)
	case p.Behind == 1:
		text += ", 1 head ago"
	case p.Behind > 1:
		text += fmt.Sprintf(", %d heads ago", p.Behind)
	}
	text += " (" + p.LastPassed.Time.UTC().Format(time.DateTime) + " UTC)"
	if p.Changed {
		text += ", changed since"
	}
	return text
}

func suitesWord(n int32) string {
	if n == 1 {
		return "1 suite"
	}
	return fmt.Sprintf("%d suites", n)
}

func namesText(n *v1alpha1.SuiteNames) string {
	text := strings.Join(n.Names, ", ")
	if more := int(n.Count) - len(n.Names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func shortCommit(commit string) string { return commit[:min(len(commit), 12)] }
