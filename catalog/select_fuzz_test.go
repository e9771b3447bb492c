package catalog

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// What can be otherwise in the input of FuzzSelection and FuzzPlan, as bits.
const (
	otherCause = 1 << iota // the trigger is for pushes, and this is a pull request
	baseUnknown
	baseLacks
	baseDiffers
	changesUnknown
	suspended
	tagged
)

// changeOf makes an input of texts with a path or glob a line, as far as a catalog could hold
// them; its suite is called a.
func changeOf(paths, globs, contents, branches, branch string, bits uint8) PlanInput {
	suite := Suite{Digest: "x", File: "tests/a.yaml"}
	suite.Name = "a"
	suite.Spec.Suspend = bits&suspended != 0
	suite.Spec.On = &v1alpha1.Triggers{Push: &v1alpha1.ChangeTrigger{Paths: written(globs, isGlob), Branches: written(branches, isGlob)}}
	for _, text := range written(contents, isInside) {
		suite.Spec.Content.Paths = append(suite.Spec.Content.Paths, path.Clean(text))
	}
	in := PlanInput{
		Head: Catalog{
			Suites: []Suite{suite}, Files: []string{"tests/a.yaml", "tests/shared.yaml", "tests/values"}, Inputs: []string{"tests/values"},
		},
		Changed: written(paths, isInside), ChangedKnown: bits&changesUnknown == 0,
		Branch: branch, Cause: v1alpha1.Cause{Type: v1alpha1.CausePush},
	}
	if bits&otherCause != 0 {
		in.Cause.Type = v1alpha1.CausePullRequest
	}
	if bits&tagged != 0 {
		in.Tag = "v1"
	}
	if bits&baseDiffers != 0 {
		suite.Digest, suite.File = "y", "tests/old.yaml"
	}
	switch {
	case bits&baseUnknown != 0:
	case bits&baseLacks != 0:
		in.Base = &Catalog{}
	default:
		in.Base = &Catalog{Suites: []Suite{suite}}
	}
	return in
}

// written are the first lines of a text that a catalog would take.
func written(text string, taken func(string) bool) []string {
	const most = 40
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && len(line) <= 512 && len(lines) < most && taken(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func globMatches(glob, text string) bool {
	ok, err := doublestar.Match(glob, text)
	return err == nil && ok
}

func isGlob(text string) bool { return checkGlob(text) == nil }

func isInside(text string) bool {
	p := &problems{}
	p.insidePath("", text)
	return len(p.found) == 0
}

// runs says by the rules, one after the other and without any index, whether the suite of
// changeOf runs.
func runs(in PlanInput) bool {
	suite := in.Head.Suites[0]
	trigger := suite.Spec.On.Push
	matches := func(globs []string, text string) bool {
		return slices.ContainsFunc(globs, func(glob string) bool { return globMatches(glob, text) })
	}
	switch {
	case suite.Spec.Suspend, in.Cause.Type != v1alpha1.CausePush, in.Tag != "" && len(trigger.Branches) > 0:
		return false
	case len(trigger.Branches) > 0 && in.Branch != "" && !matches(trigger.Branches, in.Branch):
		return false
	case len(trigger.Paths) == 0, !in.ChangedKnown, in.Base == nil, len(in.Base.Suites) == 0, in.Base.Suites[0].Digest != suite.Digest:
		return true
	}
	return slices.ContainsFunc(in.Changed, func(file string) bool {
		return matches(trigger.Paths, file) || slices.ContainsFunc(suite.ContentPaths("tests"), func(content string) bool {
			below := content == "." || file == content || strings.HasPrefix(file, content+"/")
			definition := slices.Contains(in.Head.Files, file) && !slices.Contains(in.Head.Inputs, file)
			return below && !(content == "tests" && definition)
		})
	})
}

func addChanges(f *testing.F, add func(paths, globs, contents string)) {
	for _, c := range changes(f) {
		var globs, contents []string
		for _, data := range c.files {
			suites, err := ParseFile("tests/a.yaml", data)
			for i := range suites {
				if on := suites[i].Spec.On; err == nil && on != nil && on.PullRequest != nil {
					globs = append(globs, on.PullRequest.Paths...)
				}
				contents = append(contents, suites[i].Spec.Content.Paths...)
			}
		}
		if len(c.changed) > 0 && len(globs) > 0 {
			add(strings.Join(c.changed, "\n"), strings.Join(globs, "\n"), strings.Join(contents, "\n"))
		}
	}
	add("services/a.go\ntests/load/a.js", "services/**\n*.md", "tests/load\n.")
	add("a\nb/\n..a\n\xff", "{a,b}{c,d}*\n[^a]\n[", "a\nb/./c\n")
	add(strings.Repeat("a/", 200)+"b\n"+strings.Repeat("a", 500), "**/**/**/*b\n"+strings.Repeat("{a,b}", 20), "a")
	add("tests/a.yaml\ntests/shared.yaml", "none", "")
	add("tests/values", "none", "")
}

// FuzzSelection: whatever paths and globs a commit brings, a suite runs when the rules say so,
// no reason is long, no more is compared than is allowed, and neither the order nor the
// repetition of paths changes anything.
func FuzzSelection(f *testing.F) {
	addChanges(f, func(paths, globs, contents string) {
		f.Add(paths, globs, contents, "main\nrelease/*", "main", uint8(0), uint64(1))
		f.Add(paths, globs, contents, "", "", uint8(baseDiffers), uint64(2))
		f.Add(paths, "", contents, "", "release/1", uint8(baseUnknown|changesUnknown), uint64(3))
	})
	f.Fuzz(func(t *testing.T, paths, globs, contents, branches, branch string, bits uint8, seed uint64) {
		in := changeOf(paths, globs, contents, branches, branch, bits)
		suite := in.Head.Suites[0]
		s := newSelection(in)
		run, reasons := s.decide(suite)
		if want := runs(in); run != want {
			t.Errorf("it runs: %v, by the rules %v; %q", run, want, reasons)
		}
		checkReasons(t, reasons)
		if spent := maxCompared - s.budget; spent > len(s.changed)*len(suite.Spec.On.Push.Paths) {
			t.Errorf("%d comparisons of %d paths with %d globs", spent, len(s.changed), len(suite.Spec.On.Push.Paths))
		}
		checkMatches(t, s, suite.Spec.On.Push.Paths)
		random := rand.New(rand.NewPCG(seed, 0))
		in.Changed = append(in.Changed, in.Changed[:len(in.Changed)/2]...)
		shuffle(random, in.Changed)
		again, why := newSelection(in).decide(suite)
		if again != run {
			t.Errorf("in another order it is %v, not %v", again, run)
		}
		if diff := cmp.Diff(reasons, why); diff != "" {
			t.Errorf("in another order the reasons differ:\n%s", diff)
		}
	})
}

func checkReasons(t *testing.T, reasons []string) {
	t.Helper()
	if len(reasons) == 0 || len(reasons) > 10 {
		t.Errorf("%d reasons: %q", len(reasons), reasons)
	}
	for _, reason := range reasons {
		if reason == "" || len(reason) > 1024 {
			t.Errorf("a reason of %d bytes: %.300q", len(reason), reason)
		}
	}
}

// checkMatches compares every glob with every path.
func checkMatches(t *testing.T, s *selection, globs []string) {
	t.Helper()
	for _, glob := range globs {
		var all []string
		for _, file := range s.changed {
			if globMatches(glob, file) {
				all = append(all, file)
			}
		}
		if got := s.match(glob); got.count != len(all) || len(all) > 0 && got.first != all[0] {
			t.Errorf("%q matches %+v, and %q when all are compared", glob, got, all)
		}
	}
}

// FuzzPlan: every suite of the head has its entry, with a reason; more changes, or not knowing
// them, only let more suites run; asking for a suite runs that one alone, or is refused when
// there is none of the name.
func FuzzPlan(f *testing.F) {
	addChanges(f, func(paths, globs, contents string) {
		f.Add(paths, "services/b.go\ntests/load/b.js", globs, contents, "main", "a", uint8(0))
		f.Add(paths, "c", globs, contents, "x", "z", uint8(suspended|baseLacks))
	})
	f.Fuzz(func(t *testing.T, paths, more, globs, contents, branch, name string, bits uint8) {
		in := changeOf(paths, globs, contents, "", branch, bits)
		plain := Suite{Digest: "x", File: "tests/b.yaml"} // on every change, with the tests as content
		plain.Name = "b"
		in.Head.Suites = append(in.Head.Suites, plain)
		few := planned(t, in)
		in.Changed = append(in.Changed, written(more, isInside)...)
		many := planned(t, in)
		in.ChangedKnown = false
		all := planned(t, in)
		for i := range few {
			if few[i].Run && !many[i].Run || many[i].Run && !all[i].Run {
				t.Errorf("of more changes fewer suites run: %+v, then %+v, of unknown ones %+v", few[i], many[i], all[i])
			}
		}
		in.Requested = []string{name}
		if _, there := in.Head.Suite(name); !there {
			if plan, err := Plan(in); err == nil || fault.ReasonOf(err) != fault.SuiteNotFound || plan != nil {
				t.Errorf("asked for %q it plans %+v, %v", name, plan, err)
			}
			return
		}
		if plan, err := Plan(in); err != nil || len(plan) != 1 || !plan[0].Run || plan[0].Suite != name {
			t.Errorf("asked for %q alone, it decides %+v, %v", name, plan, err)
		}
	})
}

// planned is a plan that must come about.
func planned(t *testing.T, in PlanInput) []v1alpha1.PlannedSuite {
	t.Helper()
	plan, err := Plan(in)
	if err != nil || len(plan) != len(in.Head.Suites) {
		t.Fatalf("%d entries for %d suites, %v", len(plan), len(in.Head.Suites), err)
	}
	for i, entry := range plan {
		if suite := in.Head.Suites[i]; entry.Suite != suite.Name || entry.Digest != suite.Digest || entry.File != suite.File {
			t.Errorf("the entry of %s is %+v", suite.Name, entry)
		}
		checkReasons(t, entry.Reasons)
	}
	return plan
}
