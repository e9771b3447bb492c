package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// Renderer renders, and remembers what it made of each file of suites, so that it need not make
// that again when other files have changed. It is safe for concurrent use.
type Renderer struct {
	memo *memo.Memo
	// partSuites is how many suites kustomize gets at once; 0 means 100.
	partSuites int
}

// NewRenderer makes a Renderer with the memory, which others may use as well.
func NewRenderer(m *memo.Memo) *Renderer { return &Renderer{memo: m} }

// Render is [Renderer.Render] of a Renderer that remembers nothing.
func Render(ctx context.Context, tree fs.FS, overlay string, limits Limits) (catalog.Catalog, error) {
	return (&Renderer{}).Render(ctx, tree, overlay, limits)
}

// Render renders the overlay, a path from the root of the tree such as
// "tests/overlays/staging", to a catalog.
//
// tree is rooted at the root of the repository and holds at least the folder of the tests. It
// is only read, and may be used concurrently; so may Render. What comes out depends on the tree,
// the overlay and the limits alone, never on what was rendered before. Suites may be shared with
// other catalogs, so they must not be changed.
//
// Faults: CatalogNotFound when the folder of the tests is missing, OverlayNotFound when only
// the overlay is, InvalidCatalog, RemoteReferenceRefused, PluginRefused, SymlinkRefused and
// LimitExceeded with file, line and field as far as they are known. Problems of independent
// files are joined. An error of the context is returned as it is.
func (r *Renderer) Render(ctx context.Context, tree fs.FS, overlay string, limits Limits) (catalog.Catalog, error) {
	limits = limits.withDefaults()
	overlay = path.Clean(overlay)
	if err := findOverlay(tree, overlay, limits); err != nil {
		return catalog.Catalog{}, err
	}
	s, err := scanInTime(ctx, tree, overlay, limits, r.memo)
	if err != nil {
		return catalog.Catalog{}, err
	}
	c, err := s.catalog(ctx, overlay, cmp.Or(r.partSuites, 100))
	if err != nil {
		return catalog.Catalog{}, fault.At(err, s.overlayPlace(overlay))
	}
	c.Inputs = slices.Sorted(maps.Keys(s.inputs))
	return c, nil
}

// scanInTime gives the scan as much time as kustomize gets.
func scanInTime(ctx context.Context, tree fs.FS, overlay string, limits Limits, memo *memo.Memo) (*scan, error) {
	limited, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	s, err := scanOverlay(limited, tree, overlay, limits, memo)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, tookTooLong(fault.Place{File: overlay}, overlay, limits)
	}
	return s, err
}

func tookTooLong(place fault.Place, overlay string, limits Limits) error {
	return fault.New(fault.LimitExceeded, place, "make the catalog smaller", "rendering %q took longer than %s", overlay, limits.Time)
}

// findOverlay tells a repository without tests from one whose tests lack the overlay. Which folder is
// that of the tests is not known here, so that only a missing first folder counts.
func findOverlay(tree fs.FS, overlay string, limits Limits) error {
	l := newLoader(tree, limits)
	mode, err := l.kind(overlay)
	switch {
	case err == nil && mode.IsDir():
		return nil
	case err == nil:
		return fault.New(fault.OverlayNotFound, fault.Place{File: overlay}, "name the folder of its kustomization", "the overlay %q is a file", overlay)
	case errors.Is(err, fs.ErrNotExist):
		return notFound(l, overlay)
	}
	var f *fault.Fault
	if errors.As(err, &f) {
		return fault.At(f, fault.Place{File: overlay})
	}
	return fmt.Errorf("looking for the overlay %q: %w", overlay, err)
}

func notFound(l *loader, overlay string) error {
	tests := testsFolder(overlay)
	first, _, _ := strings.Cut(overlay, "/")
	if _, err := l.kind(first); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.CatalogNotFound, fault.Place{File: tests}, "commit suites there, or set spec.path of the TestRepository", "the commit has no folder %q", tests)
	}
	return fault.New(fault.OverlayNotFound, fault.Place{File: overlay}, "commit a kustomization.yaml there, or remove the environment from the TestRepository", "the folder %q has no overlay %q", tests, overlay)
}

// testsFolder is what comes before the folder overlays, or else the first folder.
func testsFolder(overlay string) string {
	if before, _, found := strings.Cut(overlay, "/overlays/"); found {
		return before
	}
	first, _, _ := strings.Cut(overlay, "/")
	return first
}
