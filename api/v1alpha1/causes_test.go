package v1alpha1

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryCauseHasItsRules: the schema says which causes there are, and none may be forgotten.
func TestEveryCauseHasItsRules(t *testing.T) {
	crd, err := os.ReadFile("../../deploy/crds/assay.dev_testruns.yaml")
	if err != nil {
		t.Fatal(err)
	}
	enum := regexp.MustCompile(`description: type of the trigger\.\n\s+enum:\n((?:\s+- \w+\n)+)`).FindSubmatch(crd)
	if enum == nil {
		t.Fatal("the schema of spec.cause.type has no enum")
	}
	want := strings.Fields(strings.ReplaceAll(string(enum[1]), "- ", ""))
	slices.Sort(want)
	var got []string
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		got = append(got, string(cause))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table has rules for %q, the schema knows %q", got, want)
	}
}

func TestRulesDoNotContradictEachOther(t *testing.T) {
	ranks := map[int]CauseType{0: "a cause that nobody knows"}
	for cause, rules := range causes {
		if other, taken := ranks[rules.Rank]; taken {
			t.Errorf("%s has the rank of %s", cause, other)
		}
		ranks[rules.Rank] = cause
		if rules.AboutChange && rules.Renews {
			t.Errorf("%s decides about a change, and renews what such a run said", cause)
		}
		if (rules.AboutChange || rules.Superseded) && !rules.Proved {
			t.Errorf("anybody may say by %s what is said of a head", cause)
		}
		if rules.Selects && rules.Everything {
			t.Errorf("%s runs what the change selects, and everything", cause)
		}
	}
}

func TestACauseThatNobodyKnowsDoesNothingByItself(t *testing.T) {
	if got := CauseType("Comment").Rules(); got != (CauseRules{}) {
		t.Errorf("got %+v", got)
	}
	spec := TestRunSpec{Branch: "main", Cause: Cause{Type: "Comment"}}
	if moving, ok := spec.HeadOf(); ok {
		t.Errorf("it is of the head of %+v", moving)
	}
}

func TestOnlyRunsOfHeadsAreOfOne(t *testing.T) {
	pull := &PullRequestRef{Number: 7}
	for name, c := range map[string]struct {
		spec TestRunSpec
		want Moving
		ok   bool
	}{
		"a push": {TestRunSpec{Branch: "main", Cause: Cause{Type: CausePush}}, Moving{Branch: "main"}, true},
		"a tag":  {TestRunSpec{Tag: "v1", Cause: Cause{Type: CausePush}}, Moving{Tag: "v1"}, true},
		"a pull request": {TestRunSpec{Branch: "main", Cause: Cause{Type: CausePullRequest, PullRequest: pull}},
			Moving{PullRequest: 7}, true},
		"a schedule": {TestRunSpec{Branch: "main", Cause: Cause{Type: CauseSchedule}}, Moving{}, false},
		"a request":  {TestRunSpec{Branch: "main", Cause: Cause{Type: CauseAPI}}, Moving{}, false},
	} {
		if got, ok := c.spec.HeadOf(); got != c.want || ok != c.ok {
			t.Errorf("%s: got %+v, %t", name, got, ok)
		}
	}
}
