package git

import (
	"context"
	"io/fs"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/assay-dev/assay/api/fault"
)

// Tree reads the files below path ("tests", or "" for all) of a commit, given by its full
// hash. The result is rooted at the root of the repository, so names read tests/a.yaml; it is
// read-only, in memory and safe for concurrent use, and implements [fs.ReadDirFS],
// [fs.ReadFileFS], [fs.StatFS] and [TreeHasher]. A path that the commit lacks is no error:
// the result says [fs.ErrNotExist] for it. Symlinks and submodules are listed as
// [fs.ModeSymlink] and [fs.ModeIrregular], and opening one is a SymlinkRefused fault; opening
// a pointer of Git LFS is an InvalidCatalog fault. A commit that is not there (any more) is a RefNotFound fault.
func (c *Client) Tree(ctx context.Context, e Endpoint, commit, path string) (fs.FS, error) {
	hash, err := parseCommit(commit)
	if err != nil {
		return nil, err
	}
	parts, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	tree, err := c.tree(ctx, e, hash, parts, nothing())
	if err != nil {
		return nil, err
	}
	return tree, nil
}

// known is what a call may use of earlier ones for the same endpoint.
type known struct {
	*pool
	// files gives the file or folder of an object name at the path of the call, with all that
	// is below; nil when it is not known.
	files func(plumbing.Hash) *branch
}

func nothing() known { return known{newPool(), func(plumbing.Hash) *branch { return nil }} }

// branch is a file or folder of a tree with everything below it. It does not change.
type branch struct {
	node  *node
	bytes int64
	nodes int
}

// tree is Tree, which asks the host for nothing that is known.
func (c *Client) tree(ctx context.Context, e Endpoint, commit plumbing.Hash, parts []string, k known) (*treeFS, error) {
	l, err := parseLocation(e.URL, c.options.AllowHTTP)
	if err != nil {
		return nil, err
	}
	o := &outline{known: k.files, limits: c.options.Limits, place: fault.Place{Repository: l.String(), Commit: commit.String()}}
	if len(k.lacks(commit)) == 0 {
		o.source = k.pool
		root, err := o.draw(commit, parts)
		if err != nil {
			return nil, err
		}
		if len(o.files) == 0 {
			return o.done(root), nil
		}
	}
	var tree *treeFS
	err = c.operate(ctx, e, func(ctx context.Context, l location, s *session) error {
		objects := newStore(c.options.Limits)
		sparse, err := s.commits(ctx, k.pool, objects, commit)
		if refused(err) {
			return missingCommit(l, commit.String(), err)
		}
		if err == nil {
			tree, err = s.tree(ctx, o.again(layered{k.pool, objects}), objects, commit, parts, sparse)
		}
		return err
	})
	return tree, err
}

// commits fetches the commits that are not in the pool, with their trees, and without blobs
// where the host leaves them out. sparse says that blobs may be missing.
func (s *session) commits(ctx context.Context, known *pool, into *store, hashes ...plumbing.Hash) (sparse bool, err error) {
	w := want{hashes: known.lacks(hashes...)}
	if len(w.hashes) == 0 {
		return true, nil
	}
	if s.partial() {
		// A host that sends files would take it that those of the known commits are there too.
		w.filter, w.have, into.known = packp.FilterBlobNone(), known.latest(), known
	}
	if err := s.fetch(ctx, w, into); err != nil {
		return false, err
	}
	known.add(into, w.hashes...)
	return s.partial(), nil
}

// tree outlines the tree, fetches the blobs that are missing, and fills them in.
func (s *session) tree(ctx context.Context, o *outline, objects *store, commit plumbing.Hash, parts []string, sparse bool) (*treeFS, error) {
	root, err := o.draw(commit, parts)
	if err != nil {
		return nil, err
	}
	if missing := o.missing(objects); sparse && len(missing) > 0 {
		if s.partial() {
			err = s.fetch(ctx, want{hashes: missing, bare: true}, objects)
		}
		if !s.partial() || refused(err) { // as by hosts that give out commits only
			err = s.fetch(ctx, want{hashes: []plumbing.Hash{commit}}, objects)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := o.fill(); err != nil {
		return nil, err
	}
	return o.done(root), nil
}
