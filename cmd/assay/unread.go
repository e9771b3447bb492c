package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
)

// The most that is looked at in search of suites that no overlay reads.
const (
	maxUnreadFiles = 10_000
	maxUnreadBytes = 1 << 20 // what rendering takes of one file
)

var (
	suiteKind  = regexp.MustCompile(`(?m)^kind:[ \t]*["']?TestSuite["']?[ \t\r]*(#.*)?$`)
	suiteGroup = regexp.MustCompile(`(?m)^apiVersion:[ \t]*["']?assay\.dev/`)
)

// unread warns of every suite in a file that no environment read, which is most often one
// that was forgotten in a kustomization; the error is what is wrong in these files.
func (w *workingCopy) unread(environments []validatedEnvironment) (warnings []problem, err error) {
	read := map[string]bool{}
	for _, e := range environments {
		for _, f := range e.files {
			read[f] = true
		}
	}
	seen := 0
	walkErr := fs.WalkDir(w.tree, w.tests, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > maxUnreadFiles {
			return fs.SkipAll
		}
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		if read[name] || !w.holdsSuite(name, entry) {
			return nil
		}
		warnings = append(warnings, problem{
			Reason: fault.InvalidCatalog, File: name,
			Message: "no overlay reads this suite, so it never runs",
			Remedy:  "name it under resources in " + path.Join(path.Dir(name), "kustomization.yaml"),
		})
		return nil
	})
	var errs []error
	for _, warning := range warnings {
		data, err := fs.ReadFile(w.tree, warning.File)
		if err == nil {
			_, err = catalog.ParseFile(warning.File, data)
		}
		errs = append(errs, err)
	}
	if walkErr != nil {
		errs = append(errs, fmt.Errorf("looking for suites that no overlay reads: %w", walkErr))
	}
	return warnings, errors.Join(errs...)
}

// holdsSuite says whether the file looks like a suite. Data of the tests may be YAML too.
func (w *workingCopy) holdsSuite(name string, entry fs.DirEntry) bool {
	if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" || !entry.Type().IsRegular() {
		return false
	}
	if info, err := entry.Info(); err != nil || info.Size() > maxUnreadBytes {
		return false
	}
	data, err := fs.ReadFile(w.tree, name)
	return err == nil && suiteKind.Match(data) && suiteGroup.Match(data)
}
