package render

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// outcome is what rendering a tree came to.
type outcome struct {
	catalog catalog.Catalog
	err     string
}

func render(r *Renderer, tree fs.FS, overlay string) outcome {
	c, err := r.Render(context.Background(), tree, overlay, Limits{})
	if err != nil {
		return outcome{err: err.Error()}
	}
	return outcome{catalog: c}
}

// TestHostileTreesDoNotDisturbOthers renders hostile and honest trees side by side, with one
// memory and without any: each comes out as it does alone. Run with -race it also finds what
// kustomize shares.
func TestHostileTreesDoNotDisturbOthers(t *testing.T) {
	type job struct {
		name, overlay string
		tree          fs.FS
		want          outcome
	}
	var jobs []job
	for _, pattern := range []string{"testdata/worlds/*.txtar", "testdata/features/*.txtar", "testdata/refused/*.txtar"} {
		for _, w := range readWorlds(t, pattern) {
			jobs = append(jobs, job{name: w.name, overlay: w.overlay(), tree: w.head})
		}
	}
	for name, h := range hostileTrees() {
		// Those that are large or many take long with -race, and share nothing more.
		if !strings.Contains(name, "huge") && !strings.Contains(name, "thousand") && !strings.Contains(name, "more") && !strings.Contains(name, "100,000") {
			jobs = append(jobs, job{name: name, overlay: overlay, tree: h.tree})
		}
	}
	refused := 0
	for i := range jobs {
		j := &jobs[i]
		if j.want = render(&Renderer{}, j.tree, j.overlay); j.want.err != "" {
			refused++
		}
	}
	if honest := len(jobs) - refused; refused < 60 || honest < 6 {
		t.Fatalf("%d hostile trees and %d honest ones show little", refused, honest)
	}
	remembering := NewRenderer(memo.New(1 << 20))
	queue := make(chan job)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for j := range queue {
				for _, r := range []*Renderer{remembering, {}} {
					if diff := cmp.Diff(j.want, render(r, j.tree, j.overlay), cmp.AllowUnexported(outcome{})); diff != "" {
						t.Errorf("%s comes out otherwise:\n%.2000s", j.name, diff)
					}
				}
			}
		})
	}
	for round := range 3 {
		shuffled := slices.Clone(jobs)
		rand.New(rand.NewPCG(uint64(round), 1)).Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		for _, j := range shuffled {
			queue <- j
		}
	}
	close(queue)
	all.Wait()
}

func BenchmarkRender(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("suites=%d", n), func(b *testing.B) {
			tree := manySuites(n)
			b.ReportAllocs()
			for b.Loop() {
				c, err := Render(context.Background(), tree, overlay, Limits{})
				if err != nil || len(c.Suites) != n {
					b.Fatal(len(c.Suites), err)
				}
			}
		})
	}
}

// manySuites makes a base with a file for each suite, and an overlay with two patches.
func manySuites(n int) fs.FS {
	m := fstest.MapFS{overlay + "/kustomization.yaml": {Data: []byte(`
resources: [../..]
labels: [{pairs: {stage: staging}}]
patches:
  - target: {kind: TestSuite}
    patch: '[{op: add, path: /spec/timeout, value: 5m}]'
  - path: users.yaml
`)}, overlay + "/users.yaml": {Data: []byte("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: suite-0}\nspec: {env: [{name: USERS, value: '5'}]}\n")}}
	var names []string
	for i := range n {
		name := fmt.Sprintf("suite-%d.yaml", i)
		names = append(names, name)
		m["tests/"+name] = &fstest.MapFile{Data: fmt.Appendf(nil, `apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: suite-%d, labels: {team: payments}}
spec:
  tool: k6
  args: [load/checkout.js]
  env: [{name: BASE_URL, value: "http://checkout.shop"}]
  on: {pullRequest: {paths: [services/checkout/**]}}
  resources: {limits: {memory: 256Mi}}
`, i)}
	}
	m["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte("resources: [" + strings.Join(names, ", ") + "]\n")}
	return m
}
