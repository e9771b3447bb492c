// Package catalogstest is a Git repository in memory, for tests of what reads catalogs.
//
// In: trees by their commits. Out: a catalogs.Source.
package catalogstest

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// Commits has a tree for each commit.
type Commits map[string]fstest.MapFS

// Tree gives all files of a commit.
func (c Commits) Tree(_ context.Context, _ *v1alpha1.TestRepository, commit, _ string) (fs.FS, error) {
	if tree, ok := c[commit]; ok {
		return tree, nil
	}
	return nil, fault.New(fault.RefNotFound, fault.Place{Commit: commit}, "", "no such commit")
}

// Unsigned is a commit that may not be tested.
var Unsigned = strings.Repeat("9", 40)

// Verify finds a signature on every commit but [Unsigned].
func (c Commits) Verify(_ context.Context, _ *v1alpha1.TestRepository, commit string) error {
	if commit == Unsigned {
		return fault.New(fault.SignatureInvalid, fault.Place{Commit: commit}, "sign it", "commit %s is not signed", commit[:12])
	}
	return nil
}

// Changed compares the files of two commits.
func (c Commits) Changed(_ context.Context, _ *v1alpha1.TestRepository, base, head string) ([]string, bool, error) {
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
