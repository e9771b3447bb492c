package catalogs

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// commits is a Source of commits in memory that counts the trees it gave.
type commits struct {
	trees map[string]fs.FS
	asked int
}

func (c *commits) Tree(_ context.Context, _ *v1alpha1.TestRepository, commit, _ string) (fs.FS, error) {
	c.asked++
	return c.trees[commit], nil
}

func (c *commits) Changed(context.Context, *v1alpha1.TestRepository, string, string) ([]string, bool, error) {
	return nil, false, nil
}

func (c *commits) Verify(_ context.Context, _ *v1alpha1.TestRepository, commit string) error {
	if commit == "unsigned" {
		return fault.New(fault.SignatureInvalid, fault.Place{}, "", "it is not signed")
	}
	return nil
}

// watched is a tree with hashes that counts the files that were opened.
type watched struct {
	fstest.MapFS
	opened int
}

func (w *watched) Open(name string) (fs.File, error) {
	w.opened++
	return w.MapFS.Open(name)
}

func (w *watched) TreeHash(name string) (string, bool) {
	h := sha1.New()
	found := false
	for _, file := range slices.Sorted(maps.Keys(w.MapFS)) {
		if file == name || strings.HasPrefix(file, name+"/") {
			found = true
			fmt.Fprintf(h, "%q", w.MapFS[file].Data)
			if file != name { // a folder knows more of its files than they do
				fmt.Fprintf(h, "%q %v", file, w.MapFS[file].Mode)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), found
}

// Lstat keeps fs.Stat from opening files.
func (w *watched) Lstat(name string) (fs.FileInfo, error)     { return w.MapFS.Lstat(name) }
func (w *watched) ReadLink(name string) (string, error)       { return w.MapFS.ReadLink(name) }
func (w *watched) Stat(name string) (fs.FileInfo, error)      { return w.MapFS.Stat(name) }
func (w *watched) ReadDir(name string) ([]fs.DirEntry, error) { return w.MapFS.ReadDir(name) }

func repository(namespace string) *v1alpha1.TestRepository {
	return &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shop"},
		Spec: v1alpha1.TestRepositorySpec{
			URL:          "https://git.example/shop",
			Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}},
		},
	}
}

const suite = "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: a}\nspec: {tool: k6}\n"

func files(extra map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range map[string]string{
		"tests/kustomization.yaml":                  "resources: [a.yaml]",
		"tests/a.yaml":                              suite,
		"tests/load.js":                             "// the first",
		"tests/overlays/staging/kustomization.yaml": "resources: [../..]",
		"tests/overlays/prod/kustomization.yaml":    "resources: [../..]\nnamePrefix: prod-",
	} {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range extra {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestWhatIsReadAgain(t *testing.T) {
	changed := strings.Replace(suite, "k6", "go-test", 1)
	trees := map[string]*watched{
		"1": {MapFS: files(nil)},
		"2": {MapFS: files(map[string]string{"services/x.go": "outside"})},
		"3": {MapFS: files(map[string]string{"tests/load.js": "// the second"})},
		"4": {MapFS: files(map[string]string{"tests/a.yaml": changed})},
		"5": {MapFS: files(map[string]string{"tests/kustomization.yml": "resources: []"})},
	}
	symlink := files(nil)
	symlink["tests/a.yaml"] = &fstest.MapFile{Data: []byte(suite), Mode: fs.ModeSymlink}
	trees["6"] = &watched{MapFS: symlink}
	source := &commits{trees: map[string]fs.FS{}}
	for commit, tree := range trees {
		source.trees[commit] = tree
	}
	c := New(source, 0)
	for _, step := range []struct {
		commit, environment string
		asks, reads         bool // for the tree, of its files
		tool                string
		fails               fault.Reason
	}{
		{"1", "staging", true, true, "k6", ""},
		{"1", "staging", false, false, "k6", ""},
		{"2", "staging", true, false, "k6", ""},
		{"3", "staging", true, false, "k6", ""},
		{"3", "prod", true, true, "k6", ""},
		{"4", "staging", true, true, "go-test", ""},
		{"1", "staging", false, false, "k6", ""},
		{"3", "staging", false, false, "k6", ""},
		{"5", "staging", true, true, "", fault.InvalidCatalog},
		{"6", "staging", true, true, "", fault.SymlinkRefused},
	} {
		asked, opened := source.asked, trees[step.commit].opened
		got, err := c.At(context.Background(), repository("a"), step.commit, step.environment)
		switch {
		case step.fails != "":
			if err == nil || fault.ReasonOf(err) != step.fails {
				t.Errorf("%+v: got %v", step, err)
			}
		case err != nil:
			t.Fatalf("%+v: %v", step, err)
		case len(got.Suites) != 1 || got.Suites[0].Spec.Tool != step.tool:
			t.Errorf("%+v: got %+v", step, got.Suites)
		}
		if asks := source.asked > asked; asks != step.asks {
			t.Errorf("%+v: asks for the tree: %v", step, asks)
		}
		if reads := trees[step.commit].opened > opened; reads != step.reads {
			t.Errorf("%+v: reads files: %v", step, reads)
		}
	}
}

// TestTenantsShareNothing: another TestRepository gets nothing without its own tree, even of the
// same URL and commit.
func TestTenantsShareNothing(t *testing.T) {
	source := &commits{trees: map[string]fs.FS{"1": files(nil)}}
	c := New(source, 0)
	for _, namespace := range []string{"a", "b"} {
		before := source.asked
		if _, err := c.At(context.Background(), repository(namespace), "1", "staging"); err != nil {
			t.Fatal(err)
		}
		if source.asked == before {
			t.Errorf("%s got what another's credential had read", namespace)
		}
	}
}

// TestTreesWithoutHashes are told apart by their commits.
func TestTreesWithoutHashes(t *testing.T) {
	source := &commits{trees: map[string]fs.FS{
		"1": files(nil), "2": files(map[string]string{"tests/a.yaml": strings.Replace(suite, "k6", "go-test", 1)}),
	}}
	c := New(source, 0)
	for range 2 {
		for commit, tool := range map[string]string{"1": "k6", "2": "go-test"} {
			got, err := c.At(context.Background(), repository("a"), commit, "staging")
			if err != nil || got.Suites[0].Spec.Tool != tool {
				t.Errorf("commit %s: got %+v, %v", commit, got, err)
			}
		}
	}
	if source.asked != 2 {
		t.Errorf("asked for %d trees", source.asked)
	}
}

// TestTheBudgetIsKept over many commits that all differ.
func TestTheBudgetIsKept(t *testing.T) {
	source := &commits{trees: map[string]fs.FS{}}
	c := New(source, 100_000)
	for i := range 50 {
		commit := fmt.Sprint(i)
		source.trees[commit] = &watched{MapFS: files(map[string]string{"tests/a.yaml": strings.Replace(suite, "name: a", "name: a"+commit, 1)})}
		got, err := c.At(context.Background(), repository("a"), commit, "staging")
		if err != nil || got.Suites[0].Name != "a"+commit {
			t.Fatalf("commit %s: got %+v, %v", commit, got, err)
		}
		if n := c.memo.Bytes(); n > 100_000 {
			t.Fatalf("%d bytes are remembered", n)
		}
	}
}

func TestFaults(t *testing.T) {
	source := &commits{trees: map[string]fs.FS{"1": fstest.MapFS{}}}
	c := New(source, 0)
	if _, err := c.At(context.Background(), repository("a"), "1", "nowhere"); err == nil || fault.ReasonOf(err) != fault.InvalidSpec {
		t.Errorf("an environment that is not listed: %v", err)
	}
	if _, err := c.At(context.Background(), repository("a"), "1", "staging"); err == nil || fault.ReasonOf(err) != fault.CatalogNotFound {
		t.Errorf("no tests: %v", err)
	}
}

// failing is a tree that cannot be read.
type failing struct{ fs.FS }

func (failing) Open(string) (fs.File, error) { return nil, errors.New("the disk is broken") }

// A commit without tests runs nothing, and passes: nothing else may look like one.
func TestOnlyACommitWithoutTestsHasNoCatalog(t *testing.T) {
	for name, tree := range map[string]fs.FS{
		"a tree that cannot be read":         failing{},
		"a file":                             files(map[string]string{"tests": "x"}),
		"no overlay":                         files(map[string]string{"tests/a.yaml": "x"}),
		"no folder of overlays of one's own": files(map[string]string{"tests/a.yaml": "x", "ci/b": "x"}),
	} {
		repo := repository("a")
		if strings.Contains(name, "own") {
			repo.Spec.Environments[0].Overlay = "ci/overlays/staging"
		}
		_, err := New(&commits{trees: map[string]fs.FS{"1": tree}}, 0).At(t.Context(), repo, "1", "staging")
		if err == nil || fault.ReasonOf(err) == fault.CatalogNotFound {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What may not be tested is not even asked for, while a pull request is compared with any base.
func TestHeadsAreVerified(t *testing.T) {
	tree := fstest.MapFS{"tests/overlays/staging/kustomization.yaml": {Data: []byte("resources: []\n")}}
	source := &commits{trees: map[string]fs.FS{"signed": tree, "unsigned": tree}}
	c := New(source, 0)
	repo := &v1alpha1.TestRepository{Spec: v1alpha1.TestRepositorySpec{Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}}}
	if _, err := c.Verified(t.Context(), repo, "unsigned", "staging"); fault.ReasonOf(err) != fault.SignatureInvalid || source.asked > 0 {
		t.Errorf("got %v, and %d trees were read", err, source.asked)
	}
	for _, commit := range []string{"signed", "unsigned"} {
		if _, err := c.At(t.Context(), repo, commit, "staging"); err != nil {
			t.Errorf("%s: %v", commit, err)
		}
	}
	if _, err := c.Verified(t.Context(), repo, "signed", "staging"); err != nil {
		t.Error(err)
	}
}
