package catalog

import (
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Catalog is all suites that a repository defines at one commit, rendered for one environment.
// Catalogs share suites, so nobody changes any.
type Catalog struct {
	// Suites sorted by name; no two have the same.
	Suites []Suite
	// Files are the paths, from the root of the repository, that rendering read:
	// kustomizations, suites, patches and generator inputs. Sorted.
	Files []string
	// Inputs are those of Files that generators take values from. Suites may read them in their
	// pods, too. Sorted.
	Inputs []string
}

// Suite is a rendered suite: defaults and the tool's preset are filled in.
//
// Only two fields keep "empty" as a value, since their default is the folder of the tests,
// which is the repository's to say: see [Suite.WorkingDir] and [Suite.ContentPaths].
type Suite struct {
	v1alpha1.TestSuite
	// File defines the suite, from the root of the repository; empty when it is not known.
	File string
	// Digest is "sha256:" and the hash of name, labels and spec. Equal digests mean that the
	// suites are the same to whoever runs them.
	Digest string
	// Weight is about how many bytes of memory the suite takes, for whoever keeps suites.
	Weight int64
}

// Weight is about how many bytes of memory the catalog takes, for whoever keeps catalogs.
func (c Catalog) Weight() int64 {
	n := int64(0)
	for _, s := range c.Suites {
		n += s.Weight
	}
	for _, files := range [][]string{c.Files, c.Inputs} {
		for _, file := range files {
			n += int64(len(file)) + 16
		}
	}
	return n
}

// Suite gives the suite of the name, and whether there is one.
func (c Catalog) Suite(name string) (Suite, bool) {
	i, found := slices.BinarySearchFunc(c.Suites, name, func(s Suite, name string) int {
		return strings.Compare(s.Name, name)
	})
	if !found {
		return Suite{}, false
	}
	return c.Suites[i], true
}

// WorkingDir is the folder the command runs in, from the root of the repository; tests is the
// folder of the tests.
func (s Suite) WorkingDir(tests string) string {
	if s.Spec.WorkingDir == "" {
		return tests
	}
	return s.Spec.WorkingDir
}

// ContentPaths are the files and folders that the pod gets, from the root of the repository;
// tests is the folder of the tests.
func (s Suite) ContentPaths(tests string) []string {
	if len(s.Spec.Content.Paths) == 0 {
		return []string{tests}
	}
	return s.Spec.Content.Paths
}
