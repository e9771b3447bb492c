package catalog

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// PlanInput is what a plan depends on; nothing else does.
type PlanInput struct {
	// Head is the catalog that would run.
	Head Catalog
	// Base is the catalog of the commit to compare with; nil when it is not known, which
	// makes every suite new.
	Base *Catalog
	// Changed are the paths that differ between base and head, from the root of the
	// repository. ChangedKnown is false when they cannot be told; then everything runs.
	Changed      []string
	ChangedKnown bool
	// Cause of the run.
	Cause v1alpha1.Cause
	// Branch that was pushed to, or that the pull request wants to go into. When it is not
	// known, the triggers' branches are not asked.
	Branch string
	// Tag that moved to the commit; there is no branch then, and triggers that name branches do
	// not apply.
	Tag string
	// Requested are the suites somebody asked for by name: then exactly these run. Without
	// any, cause API runs every suite that is not suspended, and cause Schedule none.
	Requested []string
	// TestsPath is the folder of the tests, from the root of the repository. Empty: tests.
	TestsPath string
	// Environment says what is forbidden, and what it adds to pods. Nil when it is not known:
	// then nothing is forbidden, and nothing reused.
	Environment *v1alpha1.TestEnvironment
	// Past are results of earlier runs of the repository in the environment, in any order.
	Past []PastResult
	// Contents are the digests of the content of suites, by name, as far as they are known;
	// see [Unproved].
	Contents map[string]string
}

// Plan decides for every suite of the head, or for those that are requested, whether it runs,
// with at least one reason either way, sorted by suite. Of those that run it says which the
// environment forbids, and for which an earlier pass stands. The order of what is in the input
// does not matter. The only error is a fault SuiteNotFound for each requested suite that the
// head lacks.
func Plan(in PlanInput) ([]v1alpha1.PlannedSuite, error) {
	if err := checkRequested(in); err != nil {
		return nil, err
	}
	decide := newSelection(in).decide
	if len(in.Requested) > 0 || !in.Cause.Type.Rules().Selects {
		decide = func(suite Suite) (bool, []string) { return decideRequested(in, suite) }
	}
	past := newPast(in.Past)
	considered := in.considered()
	plan := make([]v1alpha1.PlannedSuite, 0, len(considered))
	for _, suite := range considered {
		run, reasons := decide(suite)
		entry := v1alpha1.PlannedSuite{
			Suite:   suite.Name,
			Run:     run,
			Reasons: reasons,
			Digest:  suite.Digest,
			Gate:    suite.Spec.Gate,
			Owners:  slices.Clone(suite.Spec.Owners),
			File:    suite.File,
		}
		in.forbid(suite, &entry)
		in.reuse(past, suite, &entry)
		plan = append(plan, entry)
	}
	return plan, nil
}

// considered are the suites that have an entry: a run of one suite says nothing of the
// thousand that nobody asked for.
func (in *PlanInput) considered() []Suite {
	if len(in.Requested) == 0 {
		return in.Head.Suites
	}
	var asked []Suite
	for _, suite := range in.Head.Suites {
		if slices.Contains(in.Requested, suite.Name) {
			asked = append(asked, suite)
		}
	}
	return asked
}

// forbid says of a suite that runs what the environment has against it.
func (in *PlanInput) forbid(suite Suite, entry *v1alpha1.PlannedSuite) {
	if !entry.Run || in.Environment == nil {
		return
	}
	if err := CheckPolicy(WithDefaultsOf(suite, in.Environment), in.Environment, in.Cause.Type); err != nil {
		entry.Violation = fault.Summary(err)
	}
}

func checkRequested(in PlanInput) error {
	var errs []error
	for _, name := range in.Requested {
		if _, ok := in.Head.Suite(name); !ok {
			names := make([]string, len(in.Head.Suites))
			for i, s := range in.Head.Suites {
				names[i] = s.Name
			}
			remedy := "the catalog has no suite at all"
			if len(names) > 0 {
				remedy = "the catalog has " + listed(names)
			}
			errs = append(errs, fault.New(fault.SuiteNotFound, fault.Place{}, remedy, "the catalog has no suite %q", name))
		}
	}
	return errors.Join(errs...)
}

// decideRequested is for suites that are asked for, by somebody or by their schedule.
func decideRequested(in PlanInput, suite Suite) (bool, []string) {
	rules := in.Cause.Type.Rules()
	switch named := slices.Contains(in.Requested, suite.Name); {
	case named && suite.Spec.Suspend && rules.Asked:
		return true, []string{"asked for, although suspended"}
	case named && suite.Spec.Suspend:
		return false, []string{"suspended"}
	case named:
		return true, []string{namedBy(in.Cause)}
	case in.Cause.Type == v1alpha1.CauseSchedule:
		return false, []string{"not scheduled for this time"}
	case !rules.Everything:
		return false, []string{"not asked for"}
	case suite.Spec.Suspend:
		return false, []string{"suspended"}
	}
	return true, []string{"asked for"}
}

// namedBy says in the cause's words why a suite runs that is named.
func namedBy(cause v1alpha1.Cause) string {
	switch {
	case cause.ScheduledTime != nil:
		return "scheduled for " + cause.ScheduledTime.UTC().Format(time.RFC3339)
	case cause.Type == v1alpha1.CauseSchedule:
		return "scheduled"
	}
	return "asked for"
}

// shownInList is how many entries a list in a message shows before it counts.
const shownInList = 3

// listed gives the first few texts and the count of the others.
func listed(texts []string) string { return listedOf(texts, len(texts)) }

// listedOf is for the first texts of a greater number.
func listedOf(texts []string, all int) string {
	s := ""
	for i, text := range texts[:min(len(texts), shownInList)] {
		if i > 0 {
			s += ", "
		}
		s += text
	}
	if more := all - min(len(texts), shownInList); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
