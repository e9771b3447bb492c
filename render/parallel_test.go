package render

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/catalog"
)

// TestHostileTreesDoNotDisturbOthers renders broken and honest trees at once: the honest ones
// come out as they do alone. Run with -race it also finds what kustomize shares.
func TestHostileTreesDoNotDisturbOthers(t *testing.T) {
	var honest, hostile []world
	honest = readWorlds(t, "testdata/worlds/*.txtar")
	hostile = readWorlds(t, "testdata/refused/*.txtar")
	want := map[string]catalog.Catalog{}
	for _, w := range honest {
		c, err := Render(context.Background(), w.head, w.overlay(), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want[w.name] = c
	}
	var all sync.WaitGroup
	for range 3 {
		for _, w := range honest {
			all.Go(func() {
				c, err := Render(context.Background(), w.head, w.overlay(), Limits{})
				if err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want[w.name], c); diff != "" {
					t.Errorf("%s comes out otherwise:\n%s", w.name, diff)
				}
			})
		}
		for _, w := range hostile {
			all.Go(func() {
				if _, err := Render(context.Background(), w.head, w.overlay(), Limits{}); err == nil {
					t.Errorf("%s is rendered", w.name)
				}
			})
		}
	}
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
