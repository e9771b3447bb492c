package render

import (
	"crypto/sha256"
	"io/fs"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// Hasher is a tree that knows a hash of each of its files and folders, as Git does.
type Hasher interface {
	// TreeHash gives the hash of the content at the path, and whether it is there. Equal
	// hashes mean equal content.
	TreeHash(path string) (hash string, ok bool)
}

// Fingerprint is the sum of what rendering the catalog read, as the tree has it: two trees with
// one fingerprint come to the same catalog. It is not ok when the tree has no hashes, or lacks
// a file.
func Fingerprint(c catalog.Catalog, tree fs.FS) (print memo.Sum, ok bool) {
	hasher, ok := tree.(Hasher)
	if !ok {
		return memo.Sum{}, false
	}
	h := sha256.New()
	write := func(name string) bool {
		info, err := fs.Lstat(tree, name)
		hash, ok := hasher.TreeHash(name)
		if err != nil || !ok {
			return false
		}
		memo.Write(h, []byte(name))
		memo.Write(h, []byte(hash))
		memo.Write(h, []byte(info.Mode().Type().String())) // a symlink has the hash of its text
		return true
	}
	for _, name := range c.Files {
		if !write(name) {
			return memo.Sum{}, false
		}
		if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name)) {
			continue
		}
		// Another kustomization in the folder would be one too many.
		for _, other := range konfig.RecognizedKustomizationFileNames() {
			write(path.Join(path.Dir(name), other))
		}
	}
	return memo.Sum(h.Sum(nil)), true
}
