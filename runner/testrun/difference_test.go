package testrun

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs"
)

// history has a catalog for each commit; unrelated commits cannot be compared.
type history struct {
	trees     map[string]fs.FS
	unrelated bool
}

func (h history) Tree(_ context.Context, _ *v1alpha1.TestRepository, commit, _ string) (fs.FS, error) {
	return h.trees[commit], nil
}

func (h history) Changed(context.Context, *v1alpha1.TestRepository, string, string) ([]string, bool, error) {
	return []string{"tests/api.yaml"}, !h.unrelated, nil
}

func (h history) Verify(context.Context, *v1alpha1.TestRepository, string) error { return nil }

// suites gives a tree whose overlay staging has a suite for each name, all with one image.
func suites(image string, names ...string) fs.FS {
	tree := fstest.MapFS{"tests/overlays/staging/kustomization.yaml": {Data: []byte("resources: [../..]\n")}}
	for i, name := range names {
		names[i] += ".yaml"
		tree["tests/"+names[i]] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: %s}\nspec: {image: %s}\n", name, image)}
	}
	tree["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte("resources: [" + strings.Join(names, ", ") + "]\n")}
	return tree
}

// TestPlanRecordsWhatTheCatalogChanges holds that the difference is there when the base is
// known, and only then.
func TestPlanRecordsWhatTheCatalogChanges(t *testing.T) {
	base, head := strings.Repeat("1", 40), strings.Repeat("2", 40)
	trees := map[string]fs.FS{base: suites("a", "api", "old"), head: suites("b", "api", "web")}
	changes := &v1alpha1.CatalogDifference{
		Added: []string{"web"}, Removed: []string{"old"},
		Changed: []v1alpha1.SuiteDifference{{Suite: "api", Fields: []v1alpha1.FieldDifference{{Path: "spec.image", Before: "a", After: "b"}}}},
	}
	tests := map[string]struct {
		base string
		h    history
		want *v1alpha1.CatalogDifference
	}{
		"a base":                         {base, history{trees: trees}, changes},
		"the same catalog":               {head, history{trees: trees}, &v1alpha1.CatalogDifference{}},
		"no base":                        {"", history{trees: trees}, nil},
		"a base that cannot be compared": {base, history{trees, true}, nil},
		"a base without suites":          {base, history{trees: map[string]fs.FS{base: fstest.MapFS{}, head: trees[head]}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := planOf(t, tt.h, head, tt.base)
			if diff := cmp.Diff(tt.want, got.diff); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if len(got.suites) != 2 {
				t.Errorf("the plan has %d suites, want 2", len(got.suites))
			}
		})
	}
}

// A change of everything must not make the run too large for the API server.
func TestPlanKeepsTheDifferenceSmall(t *testing.T) {
	base, head := strings.Repeat("1", 40), strings.Repeat("2", 40)
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("%s-%d", strings.Repeat("s", 50), i))
	}
	h := history{trees: map[string]fs.FS{
		base: suites(strings.Repeat("a", 400), append([]string(nil), names...)...),
		head: suites(strings.Repeat("b", 400), append([]string(nil), names...)...),
	}}
	got := planOf(t, h, head, base)
	data, err := json.Marshal(got.diff)
	if err != nil || len(data) > maxDiffBytes {
		t.Errorf("%d bytes (%v), want at most %d", len(data), err, maxDiffBytes)
	}
	if n := len(got.diff.Changed) + int(got.diff.More); n != 500 || len(got.diff.Changed) == 0 {
		t.Errorf("%d suites are told or counted, %d told", n, len(got.diff.Changed))
	}
}

func planOf(t *testing.T, h history, head, base string) planned {
	t.Helper()
	r := &Reconciler{Source: h, Catalogs: catalogs.New(h, 0)}
	repo := &v1alpha1.TestRepository{Spec: v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}}}
	run := &v1alpha1.TestRun{Spec: v1alpha1.TestRunSpec{Environment: "staging", Commit: head, Base: base, Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}}
	got, err := r.plan(t.Context(), run, repo, &v1alpha1.TestEnvironment{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
