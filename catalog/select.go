package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// selection decides for pushes and pull requests. It remembers what globs matched, since
// suites tend to share them.
type selection struct {
	in      PlanInput
	tests   string
	changed []string // sorted
	read    map[string]bool
	matches map[string]match
	budget  int
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
	s := &selection{in: in, tests: in.TestsPath, changed: slices.Sorted(slices.Values(in.Changed)), read: map[string]bool{}, matches: map[string]match{}, budget: maxCompared}
	setDefault(&s.tests, "tests")
	for _, file := range in.Head.Files {
		s.read[file] = true
	}
	if in.Base != nil {
		for _, file := range in.Base.Files {
			s.read[file] = true
		}
	}
	return s
}

func (s *selection) decide(suite Suite) (run bool, reasons []string) {
	trigger, every := s.trigger(suite)
	switch {
	case suite.Spec.Suspend:
		return false, []string{"suspended"}
	case trigger == nil:
		return false, []string{"it is not triggered by a " + every}
	case s.in.Tag != "" && len(trigger.Branches) > 0:
		return false, []string{fmt.Sprintf("tag %s is no branch, and it is for %s", s.in.Tag, listed(trigger.Branches))}
	case !s.branchMatches(trigger):
		return false, []string{fmt.Sprintf("branch %s matches none of %s", s.in.Branch, listed(trigger.Branches))}
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
		return false, []string{"no changed path concerns it"}
	}
	return true, reasons
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
		return []string{"new suite"}
	case base.Digest != suite.Digest:
		return []string{"its definition changed: " + strings.Join(changedFields(&base.TestSuite, &suite.TestSuite), ", ")}
	}
	return nil
}

// content looks for changed files that the pod gets. Files that rendering reads are in the
// folder of the tests too, but what they say is in the digests already.
func (s *selection) content(suite Suite) []string {
	var found []string
	for _, folder := range suite.ContentPaths(s.tests) {
		for _, file := range s.below(folder) {
			if !(s.read[file] && folder == s.tests) {
				found = append(found, file)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return []string{"its content changed: " + listed(slices.Compact(found))}
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
			reasons = append(reasons, fmt.Sprintf("%s matches %s", m.first, glob))
		} else {
			reasons = append(reasons, fmt.Sprintf("%s and %d more match %s", m.first, m.count-1, glob))
		}
	}
	return reasons
}

func (s *selection) match(glob string) match {
	if m, known := s.matches[glob]; known {
		return m
	}
	var m match
	s.budget -= len(s.changed)
	for _, file := range s.changed {
		if ok, err := doublestar.Match(glob, file); err == nil && ok {
			if m.count++; m.count == 1 {
				m.first = file
			}
		}
	}
	s.matches[glob] = m
	return m
}
