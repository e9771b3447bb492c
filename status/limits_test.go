package status

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
)

// A repository with far too much to say still gets a comment that fits and is whole.
func TestCommentFitsEveryLimit(t *testing.T) {
	in := hostileInput("checkout pays with card", "expected 200, got 502", 0)
	r := &in.Runs[0]
	r.Status.State = v1alpha1.StateFailed
	r.Status.Plan, r.Status.Suites, r.Status.CatalogDiff = nil, nil, &v1alpha1.CatalogDifference{}
	for i := range 1000 {
		name := fmt.Sprintf("suite-%04d", i)
		r.Status.Plan = append(r.Status.Plan,
			v1alpha1.PlannedSuite{Suite: name, Run: true, Reasons: []string{strings.Repeat("because of services/checkout ", 20)}},
			v1alpha1.PlannedSuite{Suite: "left-" + name, Reasons: []string{"no changed path concerns it"}})
		s := v1alpha1.SuiteStatus{Name: name, State: v1alpha1.StatePassed}
		if i%2 == 0 {
			s = v1alpha1.SuiteStatus{Name: name, State: v1alpha1.StateFailed,
				Cases:  &v1alpha1.CaseCounts{Total: 50, Failed: 50},
				Output: strings.Repeat("```\n", 1024)}
			for j := range 10 {
				s.Failures = append(s.Failures, v1alpha1.CaseFailure{Name: fmt.Sprintf("case %d", j), Message: strings.Repeat("x", 1024)})
			}
		}
		r.Status.Suites = append(r.Status.Suites, s)
		r.Status.CatalogDiff.Changed = append(r.Status.CatalogDiff.Changed,
			v1alpha1.SuiteDifference{Suite: name, Fields: []v1alpha1.FieldDifference{{Path: "spec.image", Before: "a", After: strings.Repeat("`", 200)}}})
	}
	before := 0
	for _, limit := range []int{200, 500, 1000, 2000, 4000, 8000, 16000, 32768, 65536, 1_000_000} {
		in.Limits = providers.Limits{Comment: limit}
		s := Compose(in)
		if len(s.Comment) > limit || s.Comment == "" || len(s.Comment) < before {
			t.Errorf("limit %d: %d bytes after %d with the limit before", limit, len(s.Comment), before)
		}
		before = len(s.Comment)
		inert(t, strings.TrimPrefix(s.Comment, s.Marker))
		if !strings.Contains(s.Comment, "500 of 1000 suites failed") {
			t.Errorf("limit %d: the verdict is missing:\n%s", limit, s.Comment)
		}
	}
	in.Limits.Comment = 10
	if s := Compose(in); s.Comment != "" {
		t.Errorf("a comment of %d bytes, the limit is 10", len(s.Comment))
	}
}

// No state may leave a required check hanging or let it pass by accident.
func TestEveryStateHasOneOnTheForge(t *testing.T) {
	for state, want := range map[v1alpha1.RunState]providers.State{
		"": providers.Pending, v1alpha1.StatePending: providers.Pending, v1alpha1.StateRunning: providers.Pending,
		v1alpha1.StatePassed: providers.Success, v1alpha1.StateSkipped: providers.Success,
		v1alpha1.StateFailed: providers.Failure, v1alpha1.StateErrored: providers.Error, v1alpha1.StateCancelled: providers.Error,
		"Invented": providers.Error,
	} {
		if got := forgeState(state); got != want {
			t.Errorf("%q is %q on the forge, want %q", state, got, want)
		}
		if state != "" && state.Final() != (want != providers.Pending) && state != "Invented" {
			t.Errorf("%q: final and %q", state, want)
		}
	}
}

func TestDescriptionsKeepTheForgesLimit(t *testing.T) {
	in := hostileInput(strings.Repeat("ä", 500), strings.Repeat("b ", 500), 0)
	in.Limits.Description = 20
	for _, s := range Compose(in).Statuses {
		if n := len([]rune(s.Description)); n > 20 {
			t.Errorf("%s: %d characters: %q", s.Context, n, s.Description)
		}
	}
}
