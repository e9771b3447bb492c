// Package catalogs gives the catalog of a commit for an environment, rendered once.
//
// In flow a TestRepository, a commit and an environment; out flows the catalog, or a fault
// that names the place. Trees come through [Source], so that the package knows nothing of
// Git; it knows nothing of pods either. Catalogs are kept by commit and overlay: both never
// change, so neither does the catalog.
package catalogs

import (
	"context"
	"io/fs"
	"strings"

	"k8s.io/utils/lru"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
)

// Source gives the files of a repository's commits.
type Source interface {
	// Tree gives the files below path at the commit, rooted at the root of the repository. It
	// is immutable and safe for concurrent use. A path that the commit lacks is no error.
	Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error)
	// Changed gives the paths that differ between two commits, sorted; known is false when
	// that cannot be found out.
	Changed(ctx context.Context, repo *v1alpha1.TestRepository, base, head string) (paths []string, known bool, err error)
}

// Catalogs renders and keeps catalogs. It is safe for concurrent use.
type Catalogs struct {
	source Source
	kept   *lru.Cache
}

// key holds the namespace and name too: what one tenant's credential could read is not
// handed to another.
type key struct{ namespace, name, url, commit, overlay string }

// New keeps up to size catalogs; 0 means 128.
func New(source Source, size int) *Catalogs {
	if size == 0 {
		size = 128
	}
	return &Catalogs{source: source, kept: lru.New(size)}
}

// At gives the catalog of the commit for the environment. A user's fault is a property of the
// commit; it is not kept, as it ends the run that asked.
func (c *Catalogs) At(ctx context.Context, repo *v1alpha1.TestRepository, commit, environment string) (catalog.Catalog, error) {
	place := fault.Place{Repository: repo.Spec.URL, Commit: commit}
	overlay, ok := repo.OverlayFor(environment)
	if !ok {
		return catalog.Catalog{}, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.environments"},
			"add it there", "the TestRepository %q does not list the environment %q", repo.Name, environment)
	}
	k := key{repo.Namespace, repo.Name, repo.Spec.URL, commit, overlay}
	if kept, ok := c.kept.Get(k); ok {
		return kept.(catalog.Catalog), nil
	}
	tree, err := c.source.Tree(ctx, repo, commit, repo.TestsPath())
	if err != nil {
		return catalog.Catalog{}, err
	}
	if _, err := fs.Stat(tree, repo.TestsPath()); err != nil {
		return catalog.Catalog{}, fault.New(fault.CatalogNotFound, place,
			"commit suites below "+repo.TestsPath()+"/, or set spec.path of the TestRepository", "there is no folder %q", repo.TestsPath())
	}
	rendered, err := render.Render(ctx, tree, strings.TrimSuffix(overlay, "/"), render.Limits{})
	if err != nil {
		if ctx.Err() != nil {
			return catalog.Catalog{}, fault.New(fault.HostFailed, place, "", "rendering %s was interrupted: %w", overlay, ctx.Err())
		}
		return catalog.Catalog{}, fault.At(err, place)
	}
	c.kept.Add(k, rendered)
	return rendered, nil
}
