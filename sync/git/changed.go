package git

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/assay-dev/assay/api/fault"
)

// Changed lists the paths that differ between the trees of two commits, sorted; a rename
// gives both names, a deletion the old one. known is false, without an error, when base is
// empty, all zeros or not there any more, or when too much differs to list it; the caller
// must then assume that everything changed. A head that is not there is a RefNotFound fault.
// Bytes of names that are not UTF-8 are replaced.
func (c *Client) Changed(ctx context.Context, e Endpoint, base, head string) (paths []string, known bool, err error) {
	from, to, err := parseRange(base, head)
	if err != nil || from.IsZero() {
		return nil, false, err
	}
	return c.changed(ctx, e, from, to, newPool())
}

// parseRange gives the commits to compare; no base is the zero hash.
func parseRange(base, head string) (from, to plumbing.Hash, err error) {
	if to, err = parseCommit(head); err != nil || strings.Trim(base, "0") == "" {
		return plumbing.ZeroHash, to, err
	}
	from, err = parseCommit(base)
	return from, to, err
}

// changed is Changed, which asks the host for nothing that is in the pool.
func (c *Client) changed(ctx context.Context, e Endpoint, from, to plumbing.Hash, known *pool) (paths []string, complete bool, err error) {
	l, err := parseLocation(e.URL, c.options.AllowHTTP)
	if err != nil {
		return nil, false, err
	}
	if from == to {
		return nil, true, nil
	}
	place := fault.Place{Commit: to.String()}
	if len(known.lacks(from, to)) == 0 {
		paths, complete, err = changed(ctx, known, from, to)
		return paths, complete, classify(fault.At(err, place), e, l)
	}
	err = c.operate(ctx, e, func(ctx context.Context, l location, s *session) error {
		objects := newStore(c.options.Limits)
		_, err := s.commits(ctx, known, objects, from, to)
		if refused(err) {
			// The host does not say which of the two it lacks.
			if _, err := s.commits(ctx, known, newStore(c.options.Limits), to); refused(err) {
				return missingCommit(l, to.String(), err)
			} else if err != nil {
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
		paths, complete, err = changed(ctx, layered{known, objects}, from, to)
		return fault.At(err, place)
	})
	return paths, complete, err
}

// Bounds of a diff. A tree can name the same folder many times over, on every level, so that
// a few objects stand for more paths than there are atoms; depth alone does not bound that.
const (
	maxChanged      = 100_000
	maxChangedDepth = 256
)

var errTooManyChanged = errors.New("too much differs")

// changed compares two commits. It reads only folders that differ, and no blobs. known is
// false when more differs than is listed.
func changed(ctx context.Context, from source, base, head plumbing.Hash) (paths []string, known bool, err error) {
	a, err := rootTree(from, base)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	b, err := rootTree(from, head)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, false, fault.New(fault.RefNotFound, fault.Place{}, "give the hash of a commit that was pushed", "%q is no commit", head)
	}
	if err != nil {
		return nil, false, err
	}
	d := &diff{ctx: ctx, from: from}
	err = d.folders("", a, b, 0)
	if errors.Is(err, errTooManyChanged) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	slices.Sort(d.paths)
	return slices.Compact(d.paths), true, nil
}

type diff struct {
	ctx   context.Context
	from  source
	paths []string
	steps int // entries looked at in folders that differ
}

// folders compares two folders, of which one may be missing (the zero hash).
func (d *diff) folders(path string, a, b plumbing.Hash, depth int) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if depth > maxChangedDepth || len(path) > maxPath {
		return errTooManyChanged
	}
	before, err := d.entries(a)
	if err != nil {
		return err
	}
	after, err := d.entries(b)
	if err != nil {
		return err
	}
	for name, old := range before {
		if err := d.entry(join(path, name), old, after[name], depth); err != nil {
			return err
		}
	}
	for name, now := range after {
		if _, both := before[name]; !both {
			if err := d.entry(join(path, name), object.TreeEntry{}, now, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// entries gives a folder by name. What is there twice, which Git does not write, is seen once.
func (d *diff) entries(hash plumbing.Hash) (map[string]object.TreeEntry, error) {
	if hash.IsZero() {
		return nil, nil
	}
	list, err := treeEntries(d.from, hash)
	if err != nil {
		return nil, err
	}
	if d.steps += len(list); d.steps > 20*maxChanged {
		return nil, errTooManyChanged
	}
	named := make(map[string]object.TreeEntry, len(list))
	for _, e := range list {
		named[e.Name] = e
	}
	return named, nil
}

// entry compares two entries of a name, of which one may be missing (the zero value).
func (d *diff) entry(path string, a, b object.TreeEntry, depth int) error {
	if a.Hash == b.Hash && a.Mode == b.Mode {
		return nil
	}
	var left, right plumbing.Hash
	if a.Mode == filemode.Dir {
		left = a.Hash
	}
	if b.Mode == filemode.Dir {
		right = b.Hash
	}
	if plain(a) || plain(b) {
		if d.paths = append(d.paths, strings.ToValidUTF8(path, "\uFFFD")); len(d.paths) > maxChanged {
			return errTooManyChanged
		}
	}
	if left.IsZero() && right.IsZero() {
		return nil
	}
	return d.folders(path, left, right, depth+1)
}

func plain(e object.TreeEntry) bool { return e.Mode != filemode.Dir && e.Mode != filemode.Empty }
