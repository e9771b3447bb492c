package render

import (
	"context"
	"io/fs"

	"github.com/assay-dev/assay/catalog"
)

// Render renders the overlay, a path from the root of the tree such as
// "tests/overlays/staging", to a catalog.
//
// tree is rooted at the root of the repository and holds at least the folder of the tests. It
// is only read, and may be used concurrently; so may Render.
//
// Faults: CatalogNotFound when the folder of the tests is missing, OverlayNotFound when only
// the overlay is, InvalidCatalog, RemoteReferenceRefused, PluginRefused, SymlinkRefused and
// LimitExceeded with file, line and field as far as they are known. Problems of independent
// files are joined. An error of the context is returned as it is.
func Render(ctx context.Context, tree fs.FS, overlay string, limits Limits) (catalog.Catalog, error) {
	panic("being written")
}
