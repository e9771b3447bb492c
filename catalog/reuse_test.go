package catalog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestReuse reads as the rules of hermetic: when an earlier pass stands for running again.
func TestReuse(t *testing.T) {
	const (
		hermetic = `{tool: k6, hermetic: true}`
		everyPR  = "runs on every pull request"
	)
	var (
		staging = environment(nil)
		noon    = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		head    = render(t, map[string]string{"unit": hermetic})
		// pass is an earlier pass with all the same, and what a test changes about it.
		pass = func(change func(*PastResult)) PastResult {
			p := PastResult{
				Suite: "unit", Digest: head.Suites[0].Digest, ContentDigest: "sha256:content",
				EnvironmentDigest: EnvironmentDigest(head.Suites[0], staging, ""),
				Run:               "shop-1", Commit: "1111111111", Ended: noon, Clean: true, Cases: &v1alpha1.CaseCounts{Total: 3, Passed: 3},
			}
			if change != nil {
				change(&p)
			}
			return p
		}
		pullRequest = v1alpha1.Cause{Type: v1alpha1.CausePullRequest}
		fromShop1   = "passed in run shop-1 at commit 1111111 with the same definition and content"
	)
	type rule struct {
		change  func(*PlanInput)
		past    []PastResult
		reused  string // the run; "" for none
		reasons []string
	}
	ran := []string{everyPR}
	for name, rule := range map[string]rule{
		"all the same":             {past: []PastResult{pass(nil)}, reused: "shop-1", reasons: []string{fromShop1, everyPR}},
		"nothing is known":         {reasons: ran},
		"another definition":       {past: []PastResult{pass(func(p *PastResult) { p.Digest = "sha256:other" })}, reasons: ran},
		"another content":          {past: []PastResult{pass(func(p *PastResult) { p.ContentDigest = "sha256:other" })}, reasons: ran},
		"another environment":      {past: []PastResult{pass(func(p *PastResult) { p.EnvironmentDigest = "sha256:other" })}, reasons: ran},
		"an environment not known": {past: []PastResult{pass(func(p *PastResult) { p.EnvironmentDigest = "" })}, reasons: ran},
		"another suite":            {past: []PastResult{pass(func(p *PastResult) { p.Suite = "other" })}, reasons: ran},
		"the newest pass is named": {
			past: []PastResult{
				pass(func(p *PastResult) { p.Run, p.Ended = "shop-0", noon.Add(-time.Hour) }), pass(nil),
				pass(func(p *PastResult) { p.Run, p.Ended = "shop-2", noon.Add(-time.Minute) }),
			},
			reused: "shop-1", reasons: []string{fromShop1, everyPR},
		},
		"a failure with all the same is a doubt, even before the pass": {
			past: []PastResult{pass(nil), pass(func(p *PastResult) { p.Run, p.Ended, p.Clean = "shop-0", noon.Add(-time.Hour), false })}, reasons: []string{everyPR,
				"hermetic, but with the same definition and content it failed or was flaky in run shop-0"},
		},
		"a failure with another content is none": {
			past: []PastResult{pass(nil), pass(func(p *PastResult) { p.ContentDigest, p.Clean = "sha256:other", false })}, reused: "shop-1", reasons: []string{fromShop1, everyPR},
		},
		"a push":            {change: func(in *PlanInput) { in.Cause.Type = v1alpha1.CausePush }, past: []PastResult{pass(nil)}, reasons: []string{"runs on every push"}},
		"whoever asks":      {change: func(in *PlanInput) { in.Cause.Type = v1alpha1.CauseAPI }, past: []PastResult{pass(nil)}, reasons: []string{"asked for"}},
		"asked for by name": {change: func(in *PlanInput) { in.Requested = []string{"unit"} }, past: []PastResult{pass(nil)}, reasons: []string{"asked for"}},
		"a schedule": {
			change: func(in *PlanInput) { in.Cause.Type, in.Requested = v1alpha1.CauseSchedule, []string{"unit"} },
			past:   []PastResult{pass(nil)}, reasons: []string{"scheduled"},
		},
		"a suite that promises nothing": {
			change: func(in *PlanInput) { in.Head, in.Base = render(t, map[string]string{"unit": `{tool: k6}`}), nil },
			past:   []PastResult{pass(func(p *PastResult) { p.Digest = render(t, map[string]string{"unit": `{tool: k6}`}).Suites[0].Digest })}, reasons: []string{everyPR, "new suite: the catalog of the base is unknown"},
		},
		"content not known":          {change: func(in *PlanInput) { in.Contents = nil }, past: []PastResult{pass(nil)}, reasons: ran},
		"a command without content":  {change: func(in *PlanInput) { in.Contents = map[string]string{"unit": ""} }, past: []PastResult{pass(func(p *PastResult) { p.ContentDigest = "" })}, reasons: ran},
		"no environment to compare":  {change: func(in *PlanInput) { in.Environment = nil }, past: []PastResult{pass(nil)}, reasons: ran},
		"the environment forbids it": {change: func(in *PlanInput) { in.Environment.Spec.Images = []string{"none"} }, past: []PastResult{pass(nil)}, reasons: ran},
		"the environment has changed": {
			change: func(in *PlanInput) { in.Environment.Spec.Env = []corev1.EnvVar{{Name: "FLAG", Value: "on"}} },
			past:   []PastResult{pass(nil)}, reasons: ran,
		},
		"variables of a Secret": {
			change: func(in *PlanInput) {
				in.Environment.Spec.Env = []corev1.EnvVar{{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{}}}}
			},
			past: []PastResult{pass(nil)}, reasons: []string{everyPR, "hermetic, but its variables come from Secrets or ConfigMaps, which may have changed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := PlanInput{
				Head: head, Base: &head, ChangedKnown: true, Cause: pullRequest, Environment: staging.DeepCopy(),
				Past: rule.past, Contents: map[string]string{"unit": "sha256:content"},
			}
			if rule.change != nil {
				rule.change(&in)
			}
			plan, err := Plan(in)
			if err != nil {
				t.Fatal(err)
			}
			entry := plan[0]
			var want *v1alpha1.ReusedPass
			if rule.reused != "" {
				want = &v1alpha1.ReusedPass{Run: rule.reused, Commit: "1111111111", Cases: &v1alpha1.CaseCounts{Total: 3, Passed: 3}}
			}
			if diff := cmp.Diff(want, entry.Reused); diff != "" {
				t.Errorf("reused (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rule.reasons, entry.Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if !entry.Run {
				t.Error("it does not run")
			}
		})
	}
}

// TestUnproved: content is packed only for suites of which there is something to compare with.
func TestUnproved(t *testing.T) {
	head := render(t, map[string]string{"new": `{tool: k6, hermetic: true}`, "plain": `{tool: k6}`, "same": `{tool: k6, hermetic: true}`})
	in := PlanInput{Head: head, Base: &head, ChangedKnown: true, Cause: v1alpha1.Cause{Type: v1alpha1.CausePullRequest}, Environment: environment(nil)}
	for _, name := range []string{"plain", "same"} {
		suite, _ := head.Suite(name)
		in.Past = append(in.Past, PastResult{Suite: name, Digest: suite.Digest, EnvironmentDigest: EnvironmentDigest(suite, in.Environment, ""), Clean: true})
	}
	for want, contents := range map[string]map[string]string{"same": nil, "": {"same": "sha256:x"}} {
		in.Contents = contents
		plan, err := Plan(in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, suite := range Unproved(in, plan) {
			got += suite.Name
		}
		if got != want {
			t.Errorf("with %v: %q, want %q", contents, got, want)
		}
	}
}

// TestEnvironmentDigest: what shapes a pod changes it, and what does not leaves it alone.
func TestEnvironmentDigest(t *testing.T) {
	suite := render(t, map[string]string{"unit": `{tool: k6}`}).Suites[0]
	before := EnvironmentDigest(suite, environment(nil), "tests")
	for name, c := range map[string]struct {
		change func(*v1alpha1.TestEnvironmentSpec)
		tests  string
		same   bool
	}{
		"nothing":         {func(*v1alpha1.TestEnvironmentSpec) {}, "", true},
		"namespace":       {func(s *v1alpha1.TestEnvironmentSpec) { s.Namespace = "other" }, "", false},
		"service account": {func(s *v1alpha1.TestEnvironmentSpec) { s.ServiceAccountName = "other" }, "", false},
		"variables":       {func(s *v1alpha1.TestEnvironmentSpec) { s.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} }, "", false},
		"default resources": {func(s *v1alpha1.TestEnvironmentSpec) {
			s.DefaultResources.Limits = corev1.ResourceList{"memory": resource.MustParse("1Gi")}
		}, "", false},
		"a shorter default timeout": {func(s *v1alpha1.TestEnvironmentSpec) { s.Limits.Timeout = &metav1.Duration{Duration: time.Minute} }, "", false},
		"a limit beyond it":         {func(s *v1alpha1.TestEnvironmentSpec) { s.Limits.Timeout = &metav1.Duration{Duration: time.Hour} }, "", true},
		"the folder of the tests":   {func(*v1alpha1.TestEnvironmentSpec) {}, "e2e", false},
		"how many pods":             {func(s *v1alpha1.TestEnvironmentSpec) { s.Limits.Pods = 3 }, "", true},
		"policy":                    {func(s *v1alpha1.TestEnvironmentSpec) { s.Images = []string{"**"} }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			if same := EnvironmentDigest(suite, environment(c.change), c.tests) == before; same != c.same {
				t.Errorf("same = %v", same)
			}
		})
	}
}

func environment(change func(*v1alpha1.TestEnvironmentSpec)) *v1alpha1.TestEnvironment {
	env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Spec: v1alpha1.TestEnvironmentSpec{Namespace: "shop", ServiceAccountName: "default"}}
	if change != nil {
		change(&env.Spec)
	}
	return env
}
