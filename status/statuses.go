package status

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
)

// Prefix of every context that Assay sets.
const Prefix = "assay/"

// statuses gives what should stand on the commit; runs are in speaking order.
func statuses(in ComposeInput, runs []*v1alpha1.TestRun) []providers.Status {
	byContext := map[string]providers.Status{}
	say := func(s providers.Status, r *v1alpha1.TestRun) {
		if _, ok := byContext[s.Context]; ok {
			return
		}
		s.Description = cut(plain(s.Description), descriptionLimit(in.Limits))
		s.TargetURL = target(in, r)
		byContext[s.Context] = s
	}
	for _, r := range speakers(runs) {
		say(providers.Status{
			Context:     Prefix + r.Spec.Environment,
			State:       forgeState(stateOf(r)),
			Description: describeRun(r),
		}, r)
	}
	for _, r := range runs {
		if aboutChange(r) && in.Repository.Spec.Statuses != v1alpha1.StatusPerSuite {
			continue
		}
		for _, s := range suitesOf(r) {
			say(providers.Status{
				Context:     Prefix + r.Spec.Environment + "/" + plain(s.status.Name),
				State:       forgeState(s.status.State),
				Description: describeSuite(s),
			}, s.ranIn())
		}
	}
	var all []providers.Status
	for _, s := range byContext {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b providers.Status) int { return cmp.Compare(a.Context, b.Context) })
	return all
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
