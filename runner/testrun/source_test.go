package testrun

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"slices"
	"testing/fstest"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// commits is a repository in memory: a tree for each commit.
type commits map[string]fstest.MapFS

func (c commits) Tree(_ context.Context, _ *v1alpha1.TestRepository, commit, _ string) (fs.FS, error) {
	if tree, ok := c[commit]; ok {
		return tree, nil
	}
	return nil, fault.New(fault.RefNotFound, fault.Place{Commit: commit}, "", "no such commit")
}

func (c commits) Changed(_ context.Context, _ *v1alpha1.TestRepository, base, head string) ([]string, bool, error) {
	before, known := c[base]
	if !known {
		return nil, false, nil
	}
	changed := map[string]bool{}
	for _, both := range []fstest.MapFS{before, c[head]} {
		for name := range both {
			a, b := before[name], c[head][name]
			if a == nil || b == nil || !bytes.Equal(a.Data, b.Data) {
				changed[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(changed)), true, nil
}

// tree holds suites by name: unit is hermetic, and slow asks for more time than any
// environment allows unless it says so.
func tree(suites ...string) fstest.MapFS {
	files := fstest.MapFS{"tests/overlays/staging/kustomization.yaml": {Data: []byte("resources: [../..]\n")}}
	resources := "resources:\n"
	for _, name := range suites {
		resources += "- " + name + ".yaml\n"
		spec := "{image: image, command: [run]}"
		switch name {
		case "unit":
			spec = "{image: image, command: [run], hermetic: true, content: {paths: [tests/unit]}, on: {pullRequest: {}, push: {}}}"
		case "slow":
			spec = "{image: image, command: [run], timeout: 24h}"
		}
		files["tests/"+name+".yaml"] = &fstest.MapFile{Data: []byte("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: " + name + "}\nspec: " + spec + "\n")}
		files["tests/"+name+"/test.sh"] = &fstest.MapFile{Data: []byte("true\n")}
	}
	files["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte(resources)}
	return files
}

// with adds or replaces a file.
func with(files fstest.MapFS, name, data string) fstest.MapFS {
	files[name] = &fstest.MapFile{Data: []byte(data)}
	return files
}
