package catalog

import (
	"testing"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestWhoChoosesTheSuites compares the causes: the change, a name, or nobody. Of the suites
// api is like any other and old is suspended.
func TestWhoChoosesTheSuites(t *testing.T) {
	api, old := Suite{}, Suite{}
	api.Name, old.Name, old.Spec.Suspend = "api", "old", true
	for _, c := range []struct {
		cause    v1alpha1.CauseType
		named    []string
		api, old bool
	}{
		{v1alpha1.CausePush, nil, true, false},
		{v1alpha1.CausePullRequest, nil, true, false},
		{v1alpha1.CausePullRequest, []string{"old"}, false, true},
		{v1alpha1.CauseAPI, nil, true, false},
		{v1alpha1.CauseAPI, []string{"old"}, false, true},
		{v1alpha1.CauseSchedule, nil, false, false},
		{v1alpha1.CauseSchedule, []string{"api", "old"}, true, false},
		{"Comment", nil, false, false},
		{"Comment", []string{"api", "old"}, true, false},
	} {
		plan, err := Plan(PlanInput{Head: Catalog{Suites: []Suite{api, old}}, Cause: v1alpha1.Cause{Type: c.cause}, Requested: c.named})
		if err != nil {
			t.Fatal(err)
		}
		runs := map[string]bool{}
		for _, entry := range plan {
			runs[entry.Suite] = entry.Run
		}
		if runs["api"] != c.api || runs["old"] != c.old {
			t.Errorf("%s of %q: %+v", c.cause, c.named, plan)
		}
	}
}
