package catalogs

import (
	"context"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
)

// Change is a head and what it is compared with: two commits of a host, or a working copy and
// the commit where it left its base.
type Change interface {
	// Head and Base give the catalogs of both sides, rendered for one environment.
	Head(ctx context.Context) (catalog.Catalog, error)
	Base(ctx context.Context) (catalog.Catalog, error)
	// Paths gives the paths that differ, sorted; known is false when they cannot be told.
	Paths(ctx context.Context) (paths []string, known bool, err error)
}

// Gather fills in what a plan has to know of a change. It is the one place where this is
// decided, so that a plan that was made offline is the controller's.
//
// A head that cannot be rendered is an error. A base that cannot be read or rendered, by
// somebody's fault, is unknown, and unknown says why; so everything runs, or every suite is
// new. All other errors may be gone the next time: they are errors here too.
func Gather(ctx context.Context, change Change, in *catalog.PlanInput) (unknown, err error) {
	if in.Head, err = change.Head(ctx); err != nil {
		return nil, err
	}
	in.Base, in.Changed, in.ChangedKnown = nil, nil, false
	paths, known, err := change.Paths(ctx)
	switch {
	case err != nil && fault.Of(err) != fault.User:
		return nil, err
	case err != nil || !known:
		return err, nil
	}
	in.Changed, in.ChangedKnown = paths, true
	base, err := change.Base(ctx)
	switch {
	case err == nil:
		in.Base = &base
	case ctx.Err() != nil || fault.Of(err) != fault.User:
		return nil, err
	}
	return err, nil
}
