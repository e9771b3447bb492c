package render

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// renderWhole renders without parts and without anything kept: what all other ways must give.
func renderWhole(tree fs.FS, overlay string) (catalog.Catalog, error) {
	ctx := context.Background()
	s, err := scanOverlay(ctx, tree, overlay, Limits{}.withDefaults(), nil)
	if err != nil {
		return catalog.Catalog{}, err
	}
	objects, err := build(ctx, s, overlay, []part{nil})
	if err != nil {
		return catalog.Catalog{}, err
	}
	c, err := catalog.New(objects, s.readFiles())
	return c, fault.At(err, s.overlayPlace(overlay))
}

// features are what the kustomization of an overlay may say; each may entangle suites, or fail.
var features = []string{
	"namePrefix: p-",
	"nameSuffix: -s",
	"namespace: shop",
	"labels: [{pairs: {stage: staging}}]",
	"commonAnnotations: {example.com/a: b}",
	"images: [{name: shop/a, newTag: '7'}]",
	"components: [../../components/one]",
	"patches: [{target: {kind: TestSuite}, patch: '[{op: add, path: /spec/timeout, value: 5m}]'}]",
	"patches: [{target: {labelSelector: team=a}, patch: '[{op: add, path: /spec/owners, value: [x]}]'}]",
	"patches: [{target: {name: s1.*}, patch: '[{op: add, path: /spec/gate, value: optional}]'}]",
	"patches: [{patch: '{apiVersion: assay.dev/v1alpha1, kind: TestSuite, metadata: {name: s1}, spec: {args: [patched]}}'}]",
	"patches: [{patch: '{apiVersion: assay.dev/v1alpha1, kind: TestSuite, metadata: {name: b-s1}, spec: {args: [patched]}}'}]",
	"patches: [{patch: '{apiVersion: assay.dev/v1alpha1, kind: TestSuite, metadata: {name: s2}, $patch: delete}'}]",
	"patches: [{target: {name: s2}, patch: '[{op: replace, path: /metadata/name, value: renamed}]'}]",
	"patches: [{target: {name: s2}, options: {allowNameChange: true}, patch: '{kind: TestSuite, metadata: {name: s3}}'}]",
	"patches: [{target: {name: s2}, patch: '[{op: add, path: /metadata/annotations/assay.dev~1source, value: tests/s1.yaml}]'}]",
	"patches: [{target: {name: s2}, patch: '[{op: remove, path: /metadata/annotations}]'}]",
	"patchesStrategicMerge: ['{apiVersion: assay.dev/v1alpha1, kind: TestSuite, metadata: {name: s3}, spec: {env: [{name: A, value: b}]}}']",
	"patchesJson6902: [{target: {group: assay.dev, version: v1alpha1, kind: TestSuite, name: s2}, patch: '[{op: add, path: /spec/suspend, value: true}]'}]",
	"replacements: [{source: {kind: TestSuite, name: s1, fieldPath: spec.image}, targets: [{select: {kind: TestSuite}, fieldPaths: [spec.image]}]}]",
	"resources: [../../base, ../../more]",
	"configMapGenerator: [{name: c, literals: [a=b], options: {annotations: {config.kubernetes.io/local-config: 'true'}}}]",
	"configMapGenerator: [{name: c, literals: [a=c, k=l]}]",
	"configMapGenerator: [{name: c, namespace: n, literals: [a=d]}]",
	"patches: [{target: {kind: ConfigMap}, patch: '[{op: add, path: /data/a, value: patched}]'}]",
	"patches: [{target: {name: s2}, options: {allowKindChange: true}, patch: '{kind: ConfigMap, metadata: {name: s2}}'}]",
}

// suiteText is a suite with something of chance in it.
func suiteText(r *rand.Rand, name string) string {
	extra := []string{"", "args: [a], ", "env: [{name: A, value: " + fmt.Sprint("v", r.IntN(9)) + "}], ", "owners: [o], ",
		"envFrom: [{configMapRef: {name: c}}], ", "env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: " + []string{"a", "k"}[r.IntN(2)] + "}}}], "}[r.IntN(6)]
	labels := []string{"", ", labels: {team: a}", ", annotations: {config.kubernetes.io/local-config: 'true'}", ", namespace: n"}[min(r.IntN(8), 3)*r.IntN(2)]
	return fmt.Sprintf("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: %s%s}\nspec: {%simage: 'shop/a:%d'}\n", name, labels, extra, r.IntN(3))
}

// overlayText is an overlay with the feature, and maybe another.
func overlayText(r *rand.Rand, feature string) string {
	lines := []string{"resources: [../../base]", feature}
	if other := features[r.IntN(len(features))]; r.IntN(2) == 0 && field(other) != field(feature) {
		lines = append(lines, other)
	}
	if slices.ContainsFunc(lines[1:], func(line string) bool { return field(line) == "resources" }) {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n") + "\n"
}

func field(line string) string { return strings.Split(line, ":")[0] }

// change edits suites as people do, or which ones there are.
func change(r *rand.Rand, m fstest.MapFS) {
	put := func(name, text string) { m[name] = &fstest.MapFile{Data: []byte(text)} }
	n := 1 + r.IntN(5)
	switch r.IntN(8) {
	case 0, 1:
		var names []string
		for i := range 5 {
			if r.IntN(5) > 0 {
				names = append(names, fmt.Sprintf("../s%d.yaml", i+1))
			}
		}
		put("tests/base/kustomization.yaml", "resources: ["+strings.Join(names, ", ")+"]\n"+[]string{"", "", "namePrefix: b-\n"}[r.IntN(3)])
	case 2: // two suites in a file, maybe of a name that is taken
		put("tests/s5.yaml", suiteText(r, fmt.Sprint("s", 1+r.IntN(12)))+"---\n"+suiteText(r, "s9"))
	default:
		put(fmt.Sprintf("tests/s%d.yaml", n), suiteText(r, fmt.Sprint("s", n)))
	}
}

// TestPartsComeToTheWhole edits repositories at random, and renders each state in parts, with
// all that was kept of earlier ones, and with next to nothing of it kept: the catalogs and the
// errors are those of rendering the whole at once.
func TestPartsComeToTheWhole(t *testing.T) {
	renderers := map[string]*Renderer{
		"parts":      {partSuites: 2},
		"memory":     {memo: memo.New(1 << 30), partSuites: 3},
		"bad memory": {memo: memo.New(8000), partSuites: 1},
		"one by one": {memo: memo.New(1 << 30), partSuites: 1},
		"at once":    {memo: memo.New(1 << 30), partSuites: 1000},
	}
	good, bad := 0, 0
	for seed, feature := range features {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		m := fstest.MapFS{
			"tests/overlays/staging/kustomization.yaml": {Data: []byte(overlayText(r, feature))},
			"tests/base/kustomization.yaml":             {Data: []byte("resources: [../s1.yaml, ../s2.yaml, ../s3.yaml, ../s4.yaml, ../s5.yaml]\n")},
			"tests/more/kustomization.yaml":             {Data: []byte("resources: [../s1.yaml, ../s4.yaml]\nnamePrefix: more-\n")},
			"tests/components/one/kustomization.yaml":   {Data: []byte("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\npatches: [{target: {kind: TestSuite, name: s4}, patch: '[{op: add, path: /spec/suspend, value: true}]'}]\n")},
		}
		for i := range 5 {
			m[fmt.Sprintf("tests/s%d.yaml", i+1)] = &fstest.MapFile{Data: []byte(suiteText(r, fmt.Sprint("s", i+1)))}
		}
		for step := range 10 {
			want, wantErr := renderWhole(m, overlay)
			if wantErr == nil {
				good++
			} else {
				bad++
			}
			for _, name := range slices.Sorted(maps.Keys(renderers)) {
				got, err := renderers[name].Render(context.Background(), m, overlay, Limits{})
				if fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Fatalf("seed %d, step %d, %s: got error %v, want %v\n%s", seed, step, name, err, wantErr, shownTree(m))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("seed %d, step %d, %s (-whole +got):\n%s\n%s", seed, step, name, diff, shownTree(m))
				}
			}
			change(r, m)
		}
	}
	if good < 40 || bad < 15 {
		t.Errorf("%d states were rendered and %d refused: the test shows little", good, bad)
	}
}

func shownTree(m fstest.MapFS) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, m[name].Data)
	}
	return b.String()
}

// TestOnlyWhatChangedIsRendered looks at what of a catalog is new to a Renderer.
func TestOnlyWhatChangedIsRendered(t *testing.T) {
	m := manySuites(30).(fstest.MapFS)
	r := NewRenderer(memo.New(1 << 30))
	missing := func() []string {
		s, err := scanOverlay(context.Background(), m, overlay, Limits{}.withDefaults(), r.memo)
		if err != nil {
			t.Fatal(err)
		}
		if !s.independent() {
			t.Fatal("the suites are entangled")
		}
		sums, err := s.sums(overlay)
		if err != nil {
			t.Fatal(err)
		}
		_, missing := s.remembered(sums)
		if _, err := r.Render(context.Background(), m, overlay, Limits{}); err != nil {
			t.Fatal(err)
		}
		return missing
	}
	edit := func(name, from, to string) {
		text := strings.Replace(string(m[name].Data), from, to, 1)
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	if got := missing(); len(got) != 30 {
		t.Errorf("at first %d files are new", len(got))
	}
	if got := missing(); len(got) != 0 {
		t.Errorf("again %v are new", got)
	}
	edit("tests/suite-7.yaml", "k6", "k6\n  suspend: true")
	if got := missing(); !slices.Equal(got, []string{"tests/suite-7.yaml"}) {
		t.Errorf("after a change of one, %v are new", got)
	}
	m["tests/new.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(suiteA, "name: a", "name: new", 1))}
	edit("tests/kustomization.yaml", "resources: [", "resources: [new.yaml, ")
	if got := missing(); !slices.Equal(got, []string{"tests/new.yaml"}) {
		t.Errorf("after one was added, %v are new", got)
	}
	edit("tests/kustomization.yaml", "suite-3.yaml, ", "")
	if got := missing(); len(got) != 0 {
		t.Errorf("after one was removed, %v are new", got)
	}
	edit(overlay+"/kustomization.yaml", "staging", "tests")
	if got := missing(); len(got) != 30 {
		t.Errorf("after a change of the overlay, %d files are new", len(got))
	}
}
