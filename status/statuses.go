package status

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/runner"
)

// defaultPrefix begins the contexts where nothing else is said.
const defaultPrefix = "assay"

// Prefix gives what begins the context of every status of the repository, without the slash
// that follows. controller is the name of the controller; empty where it has none.
func Prefix(repository *v1alpha1.TestRepository, controller string) string {
	switch {
	case repository.Spec.StatusPrefix != "":
		return repository.Spec.StatusPrefix
	case controller != "":
		return defaultPrefix + "/" + controller
	}
	return defaultPrefix
}

// statuses gives what should stand on the commit; runs are in speaking order. What a run says
// of a suite that speaks, or renewed what one said, is what they say together.
func statuses(in ComposeInput, runs []*v1alpha1.TestRun) []providers.Status {
	prefix := Prefix(in.Repository, in.Controller) + "/"
	byContext := map[string]providers.Status{}
	say := func(s providers.Status, r *v1alpha1.TestRun) {
		if _, ok := byContext[s.Context]; ok {
			return
		}
		s.Description = cut(plain(s.Description), descriptionLimit(in.Limits))
		s.TargetURL = target(in, r)
		byContext[s.Context] = s
	}
	together := map[string]map[string]suite{} // by environment and name
	open := map[string]bool{}                 // environments whose run for the change has no plan yet
	for _, m := range speakers(runs, runs) {
		say(providers.Status{
			Context:     prefix + m.Run.Spec.Environment,
			State:       forgeState(runner.StateOf(m.Run)),
			Description: describe(m) + why(m),
		}, m.Run)
		open[m.Run.Spec.Environment] = !runner.IsPlanned(m.Run) && !runner.StateOf(m.Run).Final()
		suites := map[string]suite{}
		for _, s := range suitesOf(m) {
			suites[s.status.Name] = s
		}
		together[m.Run.Spec.Environment] = suites
	}
	each := in.Repository.Spec.Statuses == v1alpha1.StatusPerSuite
	for _, r := range runs {
		renews := r.Spec.Cause.Type.Rules().Renews
		if !each && (speaks(r) || renews && open[r.Spec.Environment]) {
			continue
		}
		for _, s := range suitesOf(runner.Merged{Run: r}) {
			merged, ok := together[r.Spec.Environment][s.status.Name]
			if ok && (speaks(r) || renews) {
				s = merged
			}
			if ok && renews && !each && (merged.renewed || merged.run.Name == r.Name) { // the environment's says it
				continue
			}
			say(providers.Status{
				Context:     prefix + r.Spec.Environment + "/" + plain(s.status.Name),
				State:       forgeState(s.status.State),
				Description: describeSuite(s),
			}, s.ranIn())
		}
	}
	return slices.SortedFunc(maps.Values(byContext), func(a, b providers.Status) int {
		return cmp.Compare(a.Context, b.Context)
	})
}

// forgeState maps every state of a run or suite, one that is not known included: a required
// check must neither pass nor hang because of it. A run or suite that was cancelled is an
// error on its own commit: nobody knows whether that commit is good. The head that superseded
// it has its own.
func forgeState(s v1alpha1.RunState) providers.State {
	switch s {
	case "", v1alpha1.StatePending, v1alpha1.StateRunning:
		return providers.Pending
	case v1alpha1.StatePassed, v1alpha1.StateSkipped:
		return providers.Success
	case v1alpha1.StateFailed:
		return providers.Failure
	}
	return providers.Error
}

// descriptionLimit is GitHub's 140 characters, or less where the forge stores less.
func descriptionLimit(l providers.Limits) int {
	const most = 140
	if l.Description > 0 {
		return min(l.Description, most)
	}
	return most
}

func target(in ComposeInput, r *v1alpha1.TestRun) string {
	if in.RunsURL == "" {
		return ""
	}
	return strings.TrimRight(in.RunsURL, "/") + "/" + url.PathEscape(r.Namespace) + "/" + url.PathEscape(r.Name)
}
