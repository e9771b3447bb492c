package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// pathFlag is the flag --path: the folder of the tests, as in a TestRepository's spec.path.
type pathFlag string

func (p *pathFlag) String() string { return string(*p) }
func (p *pathFlag) Type() string   { return "folder" }

func (p *pathFlag) Set(s string) error {
	if !fs.ValidPath(s) || s == "." {
		return errors.New("it must be a folder inside the repository, without .. and without a slash at either end")
	}
	*p = pathFlag(s)
	return nil
}

func addPathFlag(command *cobra.Command) *pathFlag {
	p := pathFlag("tests")
	command.Flags().Var(&p, "path", "folder of the tests, from DIR")
	return &p
}

// workingCopy is the folder that an offline command looks at. Nothing outside of it is read,
// whatever a symlink says.
type workingCopy struct {
	root *os.Root
	// tree is rooted at the folder.
	tree fs.FS
	// tests is the folder of the tests inside the tree, and where its overlays are looked for.
	tests string
}

// openWorkingCopy opens the folder that a command's arguments name, the current one without.
func openWorkingCopy(args []string, tests pathFlag) (*workingCopy, error) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.New(fault.RepositoryNotFound, fault.Place{}, "name the folder that holds "+string(tests), "opening the working copy: %w", err)
	}
	return &workingCopy{root: root, tree: root.FS(), tests: string(tests)}, nil
}

func (w *workingCopy) close() { _ = w.root.Close() } // it was only read from

// environments gives the names of the folders below overlays, sorted: by default they are
// named for their environments. None is a fault.
func (w *workingCopy) environments() ([]string, error) {
	overlays := path.Join(w.tests, "overlays")
	entries, err := fs.ReadDir(w.tree, overlays)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing %q: %w", overlays, err)
	}
	if _, err := fs.Stat(w.tree, w.tests); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.CatalogNotFound, fault.Place{File: w.tests}, "create it, or name another folder with --path", "there is no such folder")
	}
	return nil, fault.New(fault.OverlayNotFound, fault.Place{File: overlays}, "create "+overlays+"/ENVIRONMENT/kustomization.yaml", "there is no overlay for any environment")
}

// completeEnvironments completes the flag --environment with the overlays of DIR.
func completeEnvironments(tests *pathFlag) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		w, err := openWorkingCopy(args, *tests)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer w.close()
		names, _ := w.environments() // no overlays, nothing to complete
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// environmentRefs reads values of --environment: NAME, or NAME=OVERLAY as spec.environments
// of a TestRepository can name it.
func environmentRefs(values []string) ([]v1alpha1.EnvironmentRef, error) {
	var refs []v1alpha1.EnvironmentRef
	for _, v := range values {
		name, overlay, named := strings.Cut(v, "=")
		if name == "" || strings.Contains(name, "/") || named && !fs.ValidPath(overlay) {
			return nil, usagef("--environment %q is neither NAME nor NAME=OVERLAY with a folder below the tests", v)
		}
		refs = append(refs, v1alpha1.EnvironmentRef{Name: name, Overlay: overlay})
	}
	return refs, nil
}

// overlay gives the path of an environment's overlay from the root of the tree, as the
// controller computes it.
func (w *workingCopy) overlay(ref v1alpha1.EnvironmentRef) string {
	repository := v1alpha1.TestRepository{Spec: v1alpha1.TestRepositorySpec{Path: w.tests, Environments: []v1alpha1.EnvironmentRef{ref}}}
	overlay, _ := repository.OverlayFor(ref.Name) // the one that was just put there
	return path.Clean(overlay)
}

// problems gives the faults of err without repetition: what is wrong in a base is found again
// in each of its overlays.
func problems(errs []error) []*fault.Fault {
	var all []*fault.Fault
	seen := map[string]bool{}
	for _, f := range fault.All(errors.Join(errs...)) {
		if line := f.Error(); !seen[line] {
			seen[line] = true
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *fault.Fault) int {
		if c := strings.Compare(a.Place.File, b.Place.File); c != 0 {
			return c
		}
		return a.Place.Line - b.Place.Line
	})
	return all
}
