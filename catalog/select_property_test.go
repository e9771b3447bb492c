package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestPlanDoesNotDependOnOrder: nothing in the input has an order that means something, but for
// the suites of a catalog, which are sorted.
func TestPlanDoesNotDependOnOrder(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		in := randomInput(t, random)
		want, err := Plan(in)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			shuffle(random, in.Changed)
			shuffle(random, in.Past)
			shuffle(random, in.Requested)
			shuffle(random, in.Head.Files)
			shuffle(random, in.Base.Files)
			got, err := Plan(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: another order gives another plan:\n%s", seed, diff)
			}
		}
	}
}

func shuffle[T any](random *rand.Rand, list []T) {
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func oneOf[T any](random *rand.Rand, list ...T) T { return list[random.IntN(len(list))] }

// randomInput is a change of a few suites in which everything can happen that a plan decides on.
func randomInput(t *testing.T, random *rand.Rand) PlanInput {
	t.Helper()
	specs := func() map[string]string {
		m := map[string]string{}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			if random.IntN(5) == 0 {
				continue
			}
			m[name] = fmt.Sprintf("{tool: k6, args: [%s], hermetic: %v, suspend: %v, content: {paths: [%s]}, on: {pullRequest: {paths: [%s]}, push: {}}}",
				oneOf(random, "x", "y"), random.IntN(2) == 0, random.IntN(9) == 0, oneOf(random, "tests", "tests/a", "."), oneOf(random, "", "services/**", "'*.md'"))
		}
		return m
	}
	all := []string{"services/a.go", "services/b.go", "README.md", "tests/a/x", "tests/a.yaml", "tests/b.yaml", "tests/kustomization.yaml", "tests/shared.yaml"}
	read := []string{"tests/a.yaml", "tests/b.yaml", "tests/kustomization.yaml", "tests/shared.yaml"}
	base := render(t, specs(), read...)
	in := PlanInput{
		Head: render(t, specs(), read...), Base: &base, ChangedKnown: random.IntN(5) > 0, Environment: environment(nil),
		Cause: v1alpha1.Cause{Type: oneOf(random, v1alpha1.CausePullRequest, v1alpha1.CausePullRequest, v1alpha1.CausePush, v1alpha1.CauseAPI)}, Contents: map[string]string{},
	}
	for _, path := range all {
		if random.IntN(2) == 0 {
			in.Changed = append(in.Changed, path)
		}
	}
	for _, suite := range in.Head.Suites {
		in.Contents[suite.Name] = "sha256:1"
		if random.IntN(4) == 0 {
			in.Requested = append(in.Requested, suite.Name)
		}
		for i := range random.IntN(4) {
			in.Past = append(in.Past, PastResult{
				Suite: suite.Name, Digest: suite.Digest, ContentDigest: oneOf(random, "sha256:1", "sha256:1", "sha256:2"),
				EnvironmentDigest: EnvironmentDigest(suite, in.Environment, ""), Run: fmt.Sprint("run-", i), Commit: "c",
				Ended: time.Unix(int64(random.IntN(2)), 0), Clean: random.IntN(5) > 0,
			})
		}
	}
	if random.IntN(2) == 0 {
		in.Requested = nil
	}
	return in
}

// BenchmarkPlan plans a thousand suites, of which every other changed, for a thousand paths.
func BenchmarkPlan(b *testing.B) {
	const n = 1000
	suites := func(arg string) Catalog {
		var c Catalog
		for i := range n {
			s := Suite{File: fmt.Sprintf("tests/suite-%04d.yaml", i)}
			s.Name = fmt.Sprintf("suite-%04d", i)
			s.Spec.Command, s.Spec.Hermetic = []string{"run"}, i%4 == 0
			if i%2 == 0 {
				s.Spec.Args = []string{arg}
			}
			s.Spec.Content.Paths = []string{fmt.Sprintf("tests/suite-%04d", i)}
			s.Spec.On = &v1alpha1.Triggers{PullRequest: &v1alpha1.ChangeTrigger{Paths: []string{fmt.Sprintf("services/%d/**", i), "docs/**/*.md"}}}
			var err error
			if s.Digest, err = Digest(&s.TestSuite); err != nil {
				b.Fatal(err)
			}
			c.Suites, c.Files = append(c.Suites, s), append(c.Files, s.File)
		}
		return c
	}
	base := suites("before")
	in := PlanInput{Head: suites("after"), Base: &base, ChangedKnown: true, Environment: environment(nil), Cause: v1alpha1.Cause{Type: v1alpha1.CausePullRequest}}
	for i := range n {
		in.Changed = append(in.Changed, fmt.Sprintf("%s/%d/file.go", oneOf(rand.New(rand.NewPCG(uint64(i), 0)), "services", "tests", "libraries/deep/down"), i))
	}
	slices.Reverse(in.Changed)
	b.ReportAllocs()
	for b.Loop() {
		if plan, err := Plan(in); err != nil || len(plan) != n {
			b.Fatalf("%d entries, error %v", len(plan), err)
		}
	}
}
