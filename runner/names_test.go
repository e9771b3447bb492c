package runner_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

func TestRunNameFollowsFromItsCause(t *testing.T) {
	name := runner.RunName("shop", "staging", commit, "push", "main")
	if !strings.HasPrefix(name, "shop-staging-01234567-") || name != runner.RunName("shop", "staging", commit, "push", "main") {
		t.Error(name)
	}
	seen := map[string]string{name: "the first"}
	for cause, other := range map[string]string{
		"repository":         runner.RunName("shops", "staging", commit, "push", "main"),
		"environment":        runner.RunName("shop", "prod", commit, "push", "main"),
		"commit":             runner.RunName("shop", "staging", strings.Replace(commit, "9", "8", 1), "push", "main"),
		"cause":              runner.RunName("shop", "staging", commit, "push", "release"),
		"words cut elsewise": runner.RunName("shop", "staging", commit, "pus", "hmain"),
		"one word":           runner.RunName("shop", "staging", commit, "pushmain"),
		"dashes":             runner.RunName("shop-staging", "", commit, "push", "main"),
	} {
		if same, ok := seen[other]; ok {
			t.Errorf("%s: %q is that of %s", cause, other, same)
		}
		seen[other] = cause
	}
}

func TestPodNameIsOfOneRunOnly(t *testing.T) {
	run := func(namespace, name, uid string) *v1alpha1.TestRun {
		return &v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid)}}
	}
	name := runner.PodName(run("team", "r", "1"), runner.AttemptOf("checkout-api", 1))
	if !strings.HasPrefix(name, "checkout-api-1-") {
		t.Error(name)
	}
	for what, other := range map[string]string{
		"namespace": runner.PodName(run("other", "r", "1"), runner.AttemptOf("checkout-api", 1)),
		"name":      runner.PodName(run("team", "s", "1"), runner.AttemptOf("checkout-api", 1)),
		"uid":       runner.PodName(run("team", "r", "2"), runner.AttemptOf("checkout-api", 1)),
		"suite":     runner.PodName(run("team", "r", "1"), runner.AttemptOf("checkout", 1)),
		"number":    runner.PodName(run("team", "r", "1"), runner.AttemptOf("checkout-api", 2)),
	} {
		if name == other {
			t.Errorf("another %s has the same name", what)
		}
	}
}

func FuzzNamesAreLabels(f *testing.F) {
	f.Add("shop", "staging", commit, "push", int32(1))
	f.Add("", "", "", "", int32(-1))
	f.Add(strings.Repeat("a", 300), strings.Repeat("-", 80), "é", "\x00", int32(1<<30))
	f.Add("a"+strings.Repeat("-", 50)+"b", "x", "y", "z", int32(0))
	f.Fuzz(func(t *testing.T, a, b, c, d string, n int32) {
		for _, name := range []string{runner.RunName(a, b, c, d), runner.PodName(&v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Name: b}}, runner.AttemptOf(a, n))} {
			if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
				t.Errorf("%q: %q", name, problems)
			}
			if problems := validation.IsValidLabelValue(name); len(problems) > 0 {
				t.Errorf("%q: %q", name, problems)
			}
		}
	})
}

// A branch may be called like a tag, or like anything that tells a tag.
func TestRunsOfTagsAndBranchesHaveNamesOfTheirOwn(t *testing.T) {
	repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"}}
	seen := map[string]v1alpha1.TestRunSpec{}
	for _, spec := range []v1alpha1.TestRunSpec{
		{Branch: "v1"}, {Tag: "v1"}, {Tag: "v2"}, {Branch: "tag"}, {Branch: "tag", Base: "v1"}, {Branch: "refs/tags/v1"},
		{Tag: "v1", Base: commit}, {Branch: "v1", Base: commit},
	} {
		spec.Environment, spec.Commit, spec.Cause.Type = "staging", commit, v1alpha1.CausePush
		name := runner.NewRun(repo, spec, "").Name
		if other, ok := seen[name]; ok {
			t.Errorf("%+v and %+v are both called %s", spec, other, name)
		}
		seen[name] = spec
	}
}
