// Package catalogs gives the catalog of a commit for an environment, rendered once.
//
// In flow a TestRepository, a commit and an environment; out flows the catalog, or a fault
// that names the place. Trees come through [Source], so that the package knows nothing of
// Git; it knows nothing of pods either. Catalogs are remembered by what was read to render
// them, so that a commit that changes none of it costs next to nothing.
package catalogs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/render/memo"
)

// Source gives the files of a repository's commits.
type Source interface {
	// Tree gives the files below path at the commit, rooted at the root of the repository. It
	// is immutable and safe for concurrent use. A path that the commit lacks is no error. A
	// tree that is a [render.Hasher] saves rendering what is the same in another commit.
	Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error)
	// Changed gives the paths that differ between two commits, sorted; known is false when
	// that cannot be found out.
	Changed(ctx context.Context, repo *v1alpha1.TestRepository, base, head string) (paths []string, known bool, err error)
	// Verify is nil for a commit that may be tested: it is signed as the repository asks for, or
	// the repository asks for nothing. A SignatureInvalid fault is final for the commit and the
	// keys of today; other faults say that it could not be found out.
	Verify(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error
}

// Catalogs renders and remembers catalogs. It is safe for concurrent use.
type Catalogs struct {
	source   Source
	memo     *memo.Memo
	renderer *render.Renderer
}

// New remembers catalogs, and what they were made of, in about budget bytes; 0 means 64 MiB.
func New(source Source, budget int64) *Catalogs {
	if budget == 0 {
		budget = 64 << 20
	}
	m := memo.New(budget)
	return &Catalogs{source: source, memo: m, renderer: render.NewRenderer(m)}
}

// Verified is At for the head of a branch, of which nothing counts unless it may be tested: what
// somebody pushes who may not sign is not shown, and changes no schedule.
func (c *Catalogs) Verified(ctx context.Context, repo *v1alpha1.TestRepository, commit, environment string) (catalog.Catalog, error) {
	if err := c.source.Verify(ctx, repo, commit); err != nil {
		return catalog.Catalog{}, err
	}
	return c.At(ctx, repo, commit, environment)
}

// At gives the catalog of the commit for the environment. A user's fault is a property of the
// commit; it is not remembered, as it ends the run that asked.
func (c *Catalogs) At(ctx context.Context, repo *v1alpha1.TestRepository, commit, environment string) (catalog.Catalog, error) {
	place := fault.Place{Repository: repo.Spec.URL, Commit: commit}
	overlay, ok := repo.OverlayFor(environment)
	if !ok {
		return catalog.Catalog{}, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.environments"},
			"add it there", "the TestRepository %q does not list the environment %q", repo.Name, environment)
	}
	m := c.memoryOf(repo, strings.TrimSuffix(overlay, "/"))
	if known, ok := m.ofCommit(commit); ok {
		return known, nil
	}
	tree, err := c.source.Tree(ctx, repo, commit, repo.TestsPath())
	if err != nil {
		return catalog.Catalog{}, err
	}
	if known, ok := m.ofTree(commit, tree); ok {
		return known, nil
	}
	if err := findTests(tree, repo.TestsPath()); err != nil {
		return catalog.Catalog{}, fault.At(err, place)
	}
	rendered, err := c.renderer.Render(ctx, tree, m.overlay, render.Limits{})
	if err != nil {
		if ctx.Err() != nil {
			return catalog.Catalog{}, fault.New(fault.HostFailed, place, "", "rendering %s was interrupted: %w", overlay, ctx.Err())
		}
		return catalog.Catalog{}, fault.At(err, place)
	}
	m.add(commit, tree, rendered)
	return rendered, nil
}

// findTests is nil for a commit with the folder of the tests. One that has nothing at that path is a
// CatalogNotFound fault, which no other cause may have: such a commit asks for nothing.
func findTests(tree fs.FS, tests string) error {
	info, err := fs.Stat(tree, tests)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.CatalogNotFound, fault.Place{},
			"commit suites below "+tests+"/, or set spec.path of the TestRepository", "there is no folder %q", tests)
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fault.New(fault.SymlinkRefused, fault.Place{File: tests},
			"commit the folder itself", "%q is a symlink", tests)
	case !info.IsDir():
		return fault.New(fault.InvalidCatalog, fault.Place{File: tests},
			"make it a folder, or set spec.path of the TestRepository", "%q is no folder", tests)
	}
	return nil
}

// memory is what is remembered of one overlay of a repository.
type memory struct {
	memo           *memo.Memo
	tests, overlay string
	// scope holds the namespace and name too: what one tenant's credential could read is not
	// handed to another.
	scope []byte
}

func (c *Catalogs) memoryOf(repo *v1alpha1.TestRepository, overlay string) memory {
	scope := fmt.Appendf(nil, "%q %q %q %q %q", repo.Namespace, repo.Name, repo.Spec.URL, repo.TestsPath(), overlay)
	return memory{c.memo, repo.TestsPath(), overlay, scope}
}

// latest is the catalog that was asked for last, with the fingerprint of what was read for it.
type latest struct {
	catalog     memo.Sum
	fingerprint memo.Sum
}

func (m memory) sum(kind, name string) memo.Sum {
	return memo.SumOf(m.scope, []byte(kind), []byte(name))
}

// ofCommit gives the catalog of a commit that was asked for before.
func (m memory) ofCommit(commit string) (catalog.Catalog, bool) {
	sum, ok := m.memo.Get(m.sum("commit", commit))
	if !ok {
		return catalog.Catalog{}, false
	}
	return m.get(sum.(memo.Sum))
}

func (m memory) get(sum memo.Sum) (catalog.Catalog, bool) {
	known, ok := m.memo.Get(sum)
	if !ok {
		return catalog.Catalog{}, false
	}
	return known.(catalog.Catalog), true
}

// ofTree gives the catalog of a tree of which all that is read was rendered before: all of the
// folder of the tests, or the files that mattered the last time.
func (m memory) ofTree(commit string, tree fs.FS) (catalog.Catalog, bool) {
	sum := m.sumOfTree(commit, tree)
	known, ok := m.get(sum)
	if !ok {
		if known, ok = m.unchanged(tree); !ok {
			return catalog.Catalog{}, false
		}
	}
	m.add(commit, tree, known)
	return known, true
}

// unchanged gives the latest catalog when the tree has the files it was made of.
func (m memory) unchanged(tree fs.FS) (catalog.Catalog, bool) {
	value, ok := m.memo.Get(m.sum("latest", ""))
	if !ok {
		return catalog.Catalog{}, false
	}
	last := value.(latest)
	known, ok := m.get(last.catalog)
	if !ok {
		return catalog.Catalog{}, false
	}
	now, ok := render.Fingerprint(known, tree)
	return known, ok && now == last.fingerprint
}

// sumOfTree names the catalog of a tree by the hash of the folder of the tests, or by the commit
// where the tree has no hashes.
func (m memory) sumOfTree(commit string, tree fs.FS) memo.Sum {
	if hasher, ok := tree.(render.Hasher); ok {
		if hash, ok := hasher.TreeHash(m.tests); ok {
			return m.sum("tree", hash)
		}
	}
	return m.sum("tree of commit", commit)
}

func (m memory) add(commit string, tree fs.FS, c catalog.Catalog) {
	sum := m.sumOfTree(commit, tree)
	m.memo.Add(m.sum("commit", commit), sum, 0)
	if _, known := m.get(sum); known {
		return
	}
	m.memo.Add(sum, c, c.Weight())
	if fingerprint, ok := render.Fingerprint(c, tree); ok {
		m.memo.Add(m.sum("latest", ""), latest{sum, fingerprint}, 0)
	}
}
