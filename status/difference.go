package status

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	// differenceLines and differenceBytes are the most of one environment's catalog changes,
	// and differenceRunes of a line.
	differenceLines, differenceBytes, differenceRunes = 120, 8192, 300
	// differencesShown is how many environments that differ in their changes are shown.
	differencesShown = 4
)

// Change is what changes in the catalog of an environment.
type Change struct {
	// Environment is its name, or other words for what is compared.
	Environment string
	// Difference is nil when it is not known.
	Difference *v1alpha1.CatalogDifference
}

// Changes gives the changes as Markdown: a heading, and a list for each difference, which
// environments that change alike share. It is "" when nothing changes. The texts may be
// anybody's: they are inert, and bounded.
func Changes(all []Change) string {
	differences := sameDifferences(all)
	if len(differences) == 0 {
		return ""
	}
	return "### Catalog changes\n\n" + changesLists(differences, true)
}

// difference is what changes in the catalogs of some environments alike.
type difference struct {
	v1alpha1.CatalogDifference
	environments []string
	text         string
}

// where names the environments.
func (d difference) where() string { return names(d.environments) }

// sameDifferences gives each difference once, in the order of the changes.
func sameDifferences(changes []Change) []difference {
	var all []difference
	at := map[string]int{}
	for _, c := range changes {
		d := c.Difference
		if d == nil || d.Empty() {
			continue
		}
		text := differenceText(*d)
		i, known := at[d.Summary()+text]
		if !known {
			i = len(all)
			at[d.Summary()+text] = i
			all = append(all, difference{CatalogDifference: *d, text: text})
		}
		all[i].environments = append(all[i].environments, c.Environment)
	}
	return all
}

// changes says what becomes of the catalogs: folded away a list of suites and fields, or a
// line where there is no room for it.
func (c conversation) changes(d detail) string {
	var changes []Change
	for _, r := range c.runs {
		changes = append(changes, Change{r.Spec.Environment, r.Status.CatalogDiff})
	}
	all := sameDifferences(changes)
	if len(all) == 0 || d <= shortTable {
		return ""
	}
	title := "Catalog changes: " + changesTitle(all, len(c.runs) > 1)
	if d <= withoutChanges {
		return inline(title, 300)
	}
	return details(summary(title, 300), changesLists(all, len(all) > 1), false)
}

// changesTitle counts what changes where.
func changesTitle(all []difference, where bool) string {
	var parts []string
	for _, one := range all {
		part := one.Summary()
		if where {
			part += " (" + one.where() + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// changesLists gives the lists in fences, with where each holds above it.
func changesLists(all []difference, where bool) string {
	var parts []string
	for _, one := range all[:min(len(all), differencesShown)] {
		if where {
			parts = append(parts, fmt.Sprintf("**%s**: %s", inline(one.where(), 200), one.Summary()))
		}
		parts = append(parts, fenced("diff", one.text, differenceBytes))
	}
	if n := len(all) - differencesShown; n > 0 {
		parts = append(parts, fmt.Sprintf("… and others in %d more", n))
	}
	return strings.Join(parts, "\n\n")
}

// differenceText lists suites and fields as a diff does, within bounds. No line of it begins
// with anything but what is written here.
func differenceText(d v1alpha1.CatalogDifference) string {
	t := lineList{}
	for _, suite := range d.Added {
		t.add("+ " + suite)
	}
	for _, suite := range d.Removed {
		t.add("- " + suite)
	}
	for _, suite := range d.Changed {
		t.add("@@ " + suite.Suite + " @@")
		for _, f := range suite.Fields {
			if f.Before != "" {
				t.add("- " + f.Path + ": " + f.Before)
			}
			if f.After != "" {
				t.add("+ " + f.Path + ": " + f.After)
			}
		}
		if suite.More > 0 {
			t.add("  … and " + count(int(suite.More), "more field"))
		}
	}
	if d.More > 0 {
		t.add("… and " + count(int(d.More), "more suite"))
	}
	return t.text()
}

// lineList collects lines up to a number and a size, and counts the others.
type lineList struct {
	lines      []string
	bytes, cut int
}

func (l *lineList) add(line string) {
	const forCount = 64 // of the line that says how many are cut
	line = cut(plain(line), differenceRunes)
	if l.cut > 0 || len(l.lines) == differenceLines || l.bytes+len(line)+1 > differenceBytes-forCount {
		l.cut++
		return
	}
	l.lines, l.bytes = append(l.lines, line), l.bytes+len(line)+1
}

func (l *lineList) text() string {
	if l.cut > 0 {
		return strings.Join(append(l.lines, "… and "+count(l.cut, "more line")), "\n")
	}
	return strings.Join(l.lines, "\n")
}
