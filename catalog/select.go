package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// selection decides for pushes and pull requests. It remembers what globs matched and which
// contents changed, since suites tend to share both.
type selection struct {
	in      PlanInput
	tests   string
	changed []string // sorted
	// read are files that rendering reads, inputs those of them that only have values.
	read, inputs map[string]bool
	// shared are changed files that rendering reads and that define no suite, sorted; defines
	// are changed files that do.
	shared  []string
	defines map[string]bool
	matches map[string]match
	budget  int
	// contents are the reasons that content gives, by its paths.
	contents map[string][]string
}

// match is what a glob matched of the changed paths.
type match struct {
	first string
	count int
}

// Bounds of comparing, beyond which suites just run: paths and globs both come from whoever
// wrote the commit.
const (
	maxChanged  = 20_000
	maxCompared = 5_000_000
)

func newSelection(in PlanInput) *selection {
	s := &selection{
		in: in, tests: in.TestsPath, changed: slices.Compact(slices.Sorted(slices.Values(in.Changed))),
		read: map[string]bool{}, inputs: map[string]bool{}, defines: map[string]bool{},
		matches: map[string]match{}, contents: map[string][]string{}, budget: maxCompared,
	}
	setDefault(&s.tests, "tests")
	s.look(in.Head)
	if in.Base != nil {
		s.look(*in.Base)
	}
	if !in.ChangedKnown {
		return s
	}
	for _, file := range s.changed {
		if _, suite := s.defines[file]; suite {
			s.defines[file] = true
		} else if s.read[file] {
			s.shared = append(s.shared, file)
		}
	}
	return s
}

// look learns which files a catalog is made of.
func (s *selection) look(c Catalog) {
	for _, file := range c.Files {
		s.read[file] = true
	}
	for _, file := range c.Inputs {
		s.inputs[file] = true
	}
	for _, suite := range c.Suites {
		s.defines[suite.File] = false
	}
}

func (s *selection) decide(suite Suite) (run bool, reasons []string) {
	trigger, every := s.trigger(suite)
	switch {
	case suite.Spec.Suspend:
		return false, []string{"suspended"}
	case trigger == nil:
		return false, []string{"it is not triggered by a " + every}
	case s.in.Tag != "" && len(trigger.Branches) > 0:
		return false, []string{fmt.Sprintf("tag %s is no branch, and it is for %s", shortened(s.in.Tag), listedPaths(trigger.Branches))}
	case !s.branchMatches(trigger):
		return false, []string{fmt.Sprintf("branch %s matches none of %s", shortened(s.in.Branch), listedPaths(trigger.Branches))}
	}
	if len(trigger.Paths) == 0 {
		reasons = append(reasons, "runs on every "+every)
	}
	reasons = append(reasons, s.definition(suite)...)
	switch {
	case !s.in.ChangedKnown:
		reasons = append(reasons, "changed paths are unknown, so everything runs")
	case len(s.changed) > maxChanged:
		reasons = append(reasons, fmt.Sprintf("more than %d paths changed, so everything runs", maxChanged))
	default:
		reasons = append(reasons, s.content(suite)...)
		reasons = append(reasons, s.paths(trigger)...)
	}
	if len(reasons) == 0 {
		return false, []string{s.unconcerned()}
	}
	return true, reasons
}

// unconcerned says what changed instead.
func (s *selection) unconcerned() string {
	if len(s.changed) == 0 {
		return "no path changed"
	}
	paths := "the changed paths (" + listedPaths(s.changed) + ") match none of its paths"
	if len(s.shared) > 0 {
		return paths + ", are not in its content and leave its definition as it is"
	}
	return paths + " and are not in its content"
}

// trigger gives what the suite says about the cause, nil for nothing, and the cause's name.
func (s *selection) trigger(suite Suite) (*v1alpha1.ChangeTrigger, string) {
	on := suite.Spec.On
	if on == nil { // only in a catalog that New did not make
		on = &v1alpha1.Triggers{PullRequest: &v1alpha1.ChangeTrigger{}, Push: &v1alpha1.ChangeTrigger{}}
	}
	if s.in.Cause.Type == v1alpha1.CausePullRequest {
		return on.PullRequest, "pull request"
	}
	return on.Push, "push"
}

func (s *selection) branchMatches(trigger *v1alpha1.ChangeTrigger) bool {
	if len(trigger.Branches) == 0 || s.in.Branch == "" {
		return true
	}
	return slices.ContainsFunc(trigger.Branches, func(glob string) bool {
		ok, err := doublestar.Match(glob, s.in.Branch)
		return err == nil && ok
	})
}

// definition compares the suite with the base's.
func (s *selection) definition(suite Suite) []string {
	if s.in.Base == nil {
		return []string{"new suite: the catalog of the base is unknown"}
	}
	base, ok := s.in.Base.Suite(suite.Name)
	switch {
	case !ok:
		if s.defines[suite.File] {
			return []string{"new suite (with " + shortened(suite.File) + ")"}
		}
		return []string{"new suite" + s.with()}
	case base.Digest != suite.Digest:
		return []string{"its definition changed: " + changedPaths(&base.TestSuite, &suite.TestSuite) + s.with(suite.File, base.File)}
	}
	return nil
}

// with names the changed files that a suite is made of: those that define it, and those that
// it shares with others. Which of several it was cannot be told from what was rendered.
func (s *selection) with(own ...string) string {
	slices.Sort(own)
	var files []string
	for _, file := range slices.Compact(own) {
		if s.defines[file] {
			files = append(files, file)
		}
	}
	files = append(files, s.shared...)
	if len(files) == 0 {
		return ""
	}
	return " (with " + listedPaths(files) + ")"
}

// changedPaths names the first fields that differ, and counts the others.
func changedPaths(before, after *v1alpha1.TestSuite) string {
	d := Differences(before, after)
	paths := make([]string, 0, len(d.Fields))
	for _, f := range d.Fields {
		paths = append(paths, f.Path)
	}
	return listedOf(paths, len(paths)+int(d.More))
}

// content looks for changed files that the pod gets. Suites, kustomizations and patches are in
// the folder of the tests too, but what they say is in the digests already. The inputs of
// generators are not: the suites that take their values are others than those that read them.
func (s *selection) content(suite Suite) []string {
	paths := suite.ContentPaths(s.tests)
	key := strings.Join(paths, "\x00")
	reasons, known := s.contents[key]
	if !known {
		reasons = s.contentOf(paths)
		s.contents[key] = reasons
	}
	return reasons
}

func (s *selection) contentOf(paths []string) []string {
	var found []string
	for _, folder := range paths {
		for _, file := range s.below(folder) {
			if folder != s.tests || !s.read[file] || s.inputs[file] {
				found = append(found, file)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return []string{"its content changed: " + listedPaths(slices.Compact(found))}
}

// below gives the changed files that are the path or lie below it.
func (s *selection) below(path string) []string {
	if path == "." {
		return s.changed
	}
	var found []string
	if _, ok := slices.BinarySearch(s.changed, path); ok {
		found = append(found, path)
	}
	i, _ := slices.BinarySearch(s.changed, path+"/")
	for _, file := range s.changed[i:] {
		if !strings.HasPrefix(file, path+"/") {
			break
		}
		found = append(found, file)
	}
	return found
}

// paths gives a reason for each glob of the trigger that a changed path matches.
func (s *selection) paths(trigger *v1alpha1.ChangeTrigger) []string {
	var reasons []string
	for i, glob := range trigger.Paths {
		if s.budget <= 0 {
			return append(reasons, "too many paths and globs to compare, so it runs")
		}
		m := s.match(glob)
		if m.count == 0 {
			continue
		}
		if len(reasons) == shownInList {
			return append(reasons, fmt.Sprintf("%d more globs were not compared", len(trigger.Paths)-i))
		}
		if m.count == 1 {
			reasons = append(reasons, fmt.Sprintf("%s matches %s", shortened(m.first), shortened(glob)))
		} else {
			reasons = append(reasons, fmt.Sprintf("%s and %d more match %s", shortened(m.first), m.count-1, shortened(glob)))
		}
	}
	return reasons
}

func (s *selection) match(glob string) match {
	if m, known := s.matches[glob]; known {
		return m
	}
	var m match
	near := s.beginning(literal(glob))
	s.budget -= len(near)
	for _, file := range near {
		if ok, err := doublestar.Match(glob, file); err == nil && ok {
			if m.count++; m.count == 1 {
				m.first = file
			}
		}
	}
	s.matches[glob] = m
	return m
}

// beginning gives the changed files whose paths begin with the text.
func (s *selection) beginning(text string) []string {
	from, _ := slices.BinarySearch(s.changed, text)
	rest := s.changed[from:]
	to, _ := slices.BinarySearchFunc(rest, text, func(file, text string) int {
		if strings.HasPrefix(file, text) {
			return -1
		}
		return 1
	})
	return rest[:to]
}
