package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// A tag is a push to no branch.
func TestTagsRunWhatNamesNoBranch(t *testing.T) {
	head := render(t, map[string]string{
		"any":      `{tool: k6}`,
		"branches": `{tool: k6, on: {push: {branches: ["release/*", v1]}}}`,
		"pulls":    `{tool: k6, on: {pullRequest: {}}}`,
	})
	plan, err := Plan(PlanInput{Head: head, Base: &head, ChangedKnown: true, Tag: "v1", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range plan {
		got[p.Suite] = p.Reasons[0]
	}
	want := map[string]string{
		"any":      "runs on every push",
		"branches": "tag v1 is no branch, and it is for release/*, v1",
		"pulls":    "it is not triggered by a push",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
