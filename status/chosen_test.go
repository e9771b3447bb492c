package status_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/status"
)

// judged is a planned run whose suites ended so, such as "api=Failed".
func judged(name string, cause v1alpha1.CauseType, minute int, chosen []string, state v1alpha1.RunState, suites ...string) v1alpha1.TestRun {
	r := v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1e9, 0).Add(time.Duration(minute) * time.Minute))}}
	r.Spec = v1alpha1.TestRunSpec{RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: "staging", Commit: strings.Repeat("a", 40), Cause: v1alpha1.Cause{Type: cause}, Suites: chosen}
	if cause == v1alpha1.CausePullRequest {
		r.Spec.Cause.PullRequest = &v1alpha1.PullRequestRef{Number: 2}
	}
	r.Status.State = state
	if len(suites) > 0 {
		meta.SetStatusCondition(&r.Status.Conditions, metav1.Condition{Type: v1alpha1.PlannedCondition, Status: metav1.ConditionTrue, Reason: "Succeeded"})
	}
	for _, s := range suites {
		suite, state, _ := strings.Cut(s, "=")
		r.Status.Plan = append(r.Status.Plan, v1alpha1.PlannedSuite{Suite: suite, Run: true, Gate: v1alpha1.GateRequired})
		r.Status.Suites = append(r.Status.Suites, v1alpha1.SuiteStatus{Name: suite, State: v1alpha1.RunState(state)})
	}
	return r
}

// TestChosenSuitesNeverSpeakForTheEnvironment: what somebody chose is green by itself, and renews no more than itself.
func TestChosenSuitesNeverSpeakForTheEnvironment(t *testing.T) {
	const pull, push, api, schedule = v1alpha1.CausePullRequest, v1alpha1.CausePush, v1alpha1.CauseAPI, v1alpha1.CauseSchedule
	passed, failed, errored := v1alpha1.StatePassed, v1alpha1.StateFailed, v1alpha1.StateErrored
	red := judged("red", pull, 0, nil, failed, "api=Failed", "unit=Passed")
	trivial := []string{"trivial"}
	for name, c := range map[string]struct {
		runs []v1alpha1.TestRun
		want providers.State // empty: nothing is said
	}{
		"the red one alone":                     {[]v1alpha1.TestRun{red}, providers.Failure},
		"chosen, as of the pull request":        {[]v1alpha1.TestRun{red, judged("x", pull, 1, trivial, passed, "trivial=Passed")}, providers.Failure},
		"chosen, as of a push":                  {[]v1alpha1.TestRun{red, judged("x", push, 1, trivial, passed, "trivial=Passed")}, providers.Failure},
		"chosen, as of a schedule":              {[]v1alpha1.TestRun{red, judged("x", schedule, 1, trivial, passed, "trivial=Passed")}, providers.Failure},
		"chosen, by somebody":                   {[]v1alpha1.TestRun{red, judged("x", api, 1, trivial, passed, "trivial=Passed")}, providers.Failure},
		"the green one again":                   {[]v1alpha1.TestRun{red, judged("x", api, 1, []string{"unit"}, passed, "unit=Passed")}, providers.Failure},
		"the red one again":                     {[]v1alpha1.TestRun{red, judged("x", api, 1, []string{"api"}, passed, "api=Passed")}, providers.Success},
		"the red one again, before":             {[]v1alpha1.TestRun{red, judged("x", api, -1, []string{"api"}, passed, "api=Passed")}, providers.Failure},
		"the red one again, refused":            {[]v1alpha1.TestRun{red, judged("x", api, 1, []string{"api"}, errored)}, providers.Failure},
		"everything again":                      {[]v1alpha1.TestRun{red, judged("x", api, 1, nil, passed, "api=Passed", "unit=Passed")}, providers.Success},
		"everything again, which is other":      {[]v1alpha1.TestRun{red, judged("x", api, 1, nil, passed, "trivial=Passed")}, providers.Failure},
		"chosen, where the head has no result":  {[]v1alpha1.TestRun{judged("none", pull, 0, nil, errored), judged("x", api, 1, trivial, passed, "trivial=Passed")}, providers.Error},
		"everything, where the head has none":   {[]v1alpha1.TestRun{judged("none", pull, 0, nil, errored), judged("x", api, 1, nil, passed, "api=Passed")}, providers.Success},
		"somebody's alone":                      {[]v1alpha1.TestRun{judged("x", api, 1, nil, passed, "api=Passed")}, ""},
		"somebody's choice alone":               {[]v1alpha1.TestRun{judged("x", api, 1, trivial, passed, "trivial=Passed")}, ""},
		"the pull request's choice alone":       {[]v1alpha1.TestRun{judged("x", pull, 1, trivial, passed, "trivial=Passed")}, ""},
		"all of them":                           {[]v1alpha1.TestRun{red, judged("x", api, 1, trivial, passed, "trivial=Passed"), judged("y", api, 2, []string{"unit"}, passed, "unit=Passed"), judged("z", schedule, 3, []string{"api"}, passed, "api=Passed")}, providers.Failure},
		"a red one after the green one's rerun": {[]v1alpha1.TestRun{red, judged("x", api, 1, []string{"api"}, passed, "api=Passed"), judged("y", api, 2, []string{"api"}, failed, "api=Failed")}, providers.Failure},
	} {
		repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop"}, Spec: v1alpha1.TestRepositorySpec{URL: "https://git.example/shop"}}
		said := status.Compose(status.ComposeInput{Repository: repo, Commit: strings.Repeat("a", 40), PullRequest: 2, Runs: c.runs, Limits: providers.Limits{Description: 255, Comment: 65536}})
		var got providers.State
		for _, s := range said.Statuses {
			if s.Context == "assay/staging" {
				got = s.State
			}
		}
		if got != c.want {
			t.Errorf("%s: it says %q, want %q: %+v", name, got, c.want, said.Statuses)
		}
	}
}
