package catalogs_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs"
)

// commits is a source whose trees know the name of their content, and count what is opened.
type commits struct {
	files map[string]map[string]string // by commit
	reads int
}

type tree struct {
	fstest.MapFS
	from *commits
}

func (t tree) Open(name string) (fs.File, error) { t.from.reads++; return t.MapFS.Open(name) }

func (t tree) TreeHash(path string) (string, bool) {
	h := sha256.New()
	err := fs.WalkDir(t.MapFS, path, func(p string, _ fs.DirEntry, err error) error {
		if f := t.MapFS[p]; f != nil {
			fmt.Fprintf(h, "%q %q", p, f.Data)
		}
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)), err == nil
}

func (c *commits) Tree(_ context.Context, _ *v1alpha1.TestRepository, commit, _ string) (fs.FS, error) {
	t := tree{fstest.MapFS{}, c}
	for name, data := range c.files[commit] {
		t.MapFS[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return t, nil
}

func (c *commits) Changed(context.Context, *v1alpha1.TestRepository, string, string) ([]string, bool, error) {
	return nil, false, nil
}

func TestCommitsThatLeaveTheTestsAloneAreNotRendered(t *testing.T) {
	suite := func(name string) map[string]string {
		return map[string]string{
			"tests/kustomization.yaml":                  "resources: [a.yaml]\n",
			"tests/overlays/staging/kustomization.yaml": "resources: [../..]\n",
			"tests/a.yaml": "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: " + name + "}\n" +
				"spec: {image: example.org/i, command: [run]}\n",
		}
	}
	elsewhere := suite("one")
	elsewhere["src/main.go"] = "package main\n"
	source := &commits{files: map[string]map[string]string{"a": suite("one"), "b": elsewhere, "c": suite("two")}}
	repo := func(name string) *v1alpha1.TestRepository {
		return &v1alpha1.TestRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name},
			Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/team/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}},
		}
	}
	c := catalogs.New(source, 0)
	for _, step := range []struct {
		repository, commit, suite string
		renders                   bool
	}{
		{"shop", "a", "one", true}, {"shop", "a", "one", false}, {"shop", "b", "one", false}, {"shop", "c", "two", true},
		{"shop", "b", "one", false}, {"another on the same URL", "a", "one", true},
	} {
		source.reads = 0
		got, err := c.At(t.Context(), repo(step.repository), step.commit, "staging")
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := got.Suite(step.suite); !ok || len(got.Suites) != 1 {
			t.Errorf("%v: got %v", step, got.Suites)
		}
		if renders := source.reads > 0; renders != step.renders {
			t.Errorf("%v: %d files were opened", step, source.reads)
		}
	}
}
