package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/sync/git"
)

// side is one of two things that are compared: the files of a commit, or those on disk.
type side struct {
	*workingCopy
	name   string
	commit string
}

// head gives the commit of --head, or the files on disk.
func (o *diffOptions) headSide(w *workingCopy) (side, error) {
	if o.head == "" {
		return side{w, "the working copy", ""}, nil
	}
	local, err := w.repository()
	if err != nil {
		return side{}, err
	}
	commit, err := local.Resolve(o.head)
	if err != nil {
		return side{}, err
	}
	return w.at(local, o.head, commit)
}

// baseSide gives the commit at which the head left the base.
func (o *diffOptions) baseSide(w *workingCopy, head string) (side, error) {
	local, err := w.repository()
	if err != nil {
		return side{}, err
	}
	revision, err := local.Resolve(o.base)
	if err != nil {
		return side{}, err
	}
	if head == "" {
		if head, err = local.Head(); err != nil {
			return side{}, err
		}
	}
	base, err := local.MergeBase(revision, head)
	if err != nil {
		return side{}, err
	}
	return w.at(local, o.base, base)
}

func (w *workingCopy) repository() (*git.Local, error) {
	local, err := git.OpenLocal(w.root.Name())
	if err != nil {
		return nil, err
	}
	return local, w.mustBeTop(local.Root())
}

// at gives the files of a commit, which is the one that the revision names or one before it.
func (w *workingCopy) at(local *git.Local, revision, commit string) (side, error) {
	tree, err := local.Tree(commit, w.tests)
	if err != nil {
		return side{}, err
	}
	return side{&workingCopy{root: w.root, tree: tree, tests: w.tests}, fmt.Sprintf("%s (%.12s)", revision, commit), commit}, nil
}

// render gives the catalog of an environment, with the commit in what is wrong with it.
func (s side) render(ctx context.Context, ref v1alpha1.EnvironmentRef) (catalog.Catalog, error) {
	c, err := render.Render(ctx, s.tree, s.overlay(ref), render.Limits{})
	if err != nil && s.commit != "" && ctx.Err() == nil {
		err = fault.At(err, fault.Place{Commit: s.commit})
	}
	return c, err
}

// revisions compares two commits, or one and the files on disk.
func (o *diffOptions) revisions(ctx context.Context, w *workingCopy, notes io.Writer) (*catalogDiff, error) {
	after, err := o.headSide(w)
	if err != nil {
		return nil, err
	}
	before, err := o.baseSide(w, after.commit)
	if err != nil {
		return nil, err
	}
	names := *o.environments
	if len(names) == 0 {
		if names, err = environmentsOf(before, after); err != nil {
			return nil, err
		}
	}
	refs, err := environmentRefs(names)
	if err != nil {
		return nil, err
	}
	d := &catalogDiff{Before: before.name, After: after.name, Environments: []environmentDiff{}}
	for _, ref := range refs {
		b, errBefore := before.render(ctx, ref)
		a, errAfter := after.render(ctx, ref)
		if err := eitherMissing(errBefore, errAfter, notes); err != nil {
			return nil, err
		}
		d.add(ref.Name, "", b, a)
	}
	return d, nil
}

// environmentsOf gives the environments that either side has an overlay for, sorted.
func environmentsOf(before, after side) ([]string, error) {
	names, err := after.environments()
	if ours, errBefore := before.environments(); errBefore == nil {
		names, err = append(names, ours...), nil
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// eitherMissing lets one side lack the environment: then it has no suites there. Everything
// else that is wrong with a side is a reason not to compare.
func eitherMissing(before, after error, notes io.Writer) error {
	switch {
	case before == nil && after == nil:
		return nil
	case after == nil && missing(before):
		fmt.Fprintf(notes, "note: all is new: %s\n", clean(fault.Summary(before)))
		return nil
	case before == nil && missing(after):
		fmt.Fprintf(notes, "note: all is gone: %s\n", clean(fault.Summary(after)))
		return nil
	case after != nil:
		return after
	}
	return before
}

func missing(err error) bool {
	reason := fault.ReasonOf(err)
	return reason == fault.OverlayNotFound || reason == fault.CatalogNotFound
}

// environmentsApart compares two environments of one commit.
func (o *diffOptions) environmentsApart(ctx context.Context, w *workingCopy) (*catalogDiff, error) {
	if len(*o.environments) != 1 {
		return nil, usagef("--against compares with one environment: name it with --environment")
	}
	refs, err := environmentRefs([]string{o.against, (*o.environments)[0]})
	if err != nil {
		return nil, err
	}
	head, err := o.headSide(w)
	if err != nil {
		return nil, err
	}
	before, err := head.render(ctx, refs[0])
	if err != nil {
		return nil, err
	}
	after, err := head.render(ctx, refs[1])
	if err != nil {
		return nil, err
	}
	d := &catalogDiff{Before: refs[0].Name + " in " + head.name, After: refs[1].Name + " in " + head.name}
	d.add(refs[1].Name, refs[0].Name, before, after)
	return d, nil
}
