package git

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/assay-dev/assay/api/fault"
)

// TreeHasher is implemented by every [fs.FS] of this package. Equal hashes mean equal content,
// so a caller may skip what it has already done for one.
type TreeHasher interface {
	// TreeHash gives the Git object name of the file or folder at the path ("." for the root
	// of the repository), and whether it is there.
	TreeHash(path string) (hash string, ok bool)
}

// treeFS is a part of a commit's tree in memory. It does not change once handed out.
type treeFS struct {
	place fault.Place // of the commit
	root  *node
	bytes int64 // of all files together
	nodes int
}

var (
	_ fs.ReadDirFS  = (*treeFS)(nil)
	_ fs.ReadFileFS = (*treeFS)(nil)
	_ fs.StatFS     = (*treeFS)(nil)
	_ TreeHasher    = (*treeFS)(nil)
)

// split takes the tree apart into the way to the path and what is there with everything below,
// nil when nothing is.
func (t *treeFS) split(parts []string) (*treeFS, *branch) {
	way, end := t.copyWay(parts)
	if end == nil {
		return t, nil
	}
	whole := *end
	end.children, end.data = nil, nil
	way.bytes, way.nodes = 0, len(parts)+1
	return way, &branch{&whole, t.bytes, t.nodes}
}

// with is what split took apart, put together; nil when the files are not known.
func (t *treeFS) with(parts []string, files func(plumbing.Hash) *branch) *treeFS {
	tree, end := t.copyWay(parts)
	if end == nil {
		return t
	}
	b := files(end.hash)
	if b == nil || b.node.mode.Type() != end.mode.Type() {
		return nil
	}
	end.children, end.data = b.node.children, b.node.data
	tree.bytes, tree.nodes = b.bytes, b.nodes
	return tree
}

// copyWay copies the nodes down to the path; end is the one there, nil when there is none.
func (t *treeFS) copyWay(parts []string) (way *treeFS, end *node) {
	copied, root := *t, *t.root
	copied.root, end = &root, &root
	for _, part := range parts {
		next := end.child(part)
		if next == nil {
			return t, nil
		}
		n := *next
		end.children, end = []*node{&n}, &n
	}
	return &copied, end
}

// cost is about what a tree takes in memory.
func (t *treeFS) cost() int64 { return t.bytes + int64(t.nodes)*256 }

func (b *branch) cost() int64 { return b.bytes + int64(b.nodes)*256 }

// node is a file, folder, symlink or submodule; it is its own [fs.FileInfo] and [fs.DirEntry].
type node struct {
	name     string
	mode     fs.FileMode
	hash     plumbing.Hash
	data     []byte
	children []*node // sorted by name
}

func (n *node) Name() string               { return n.name }
func (n *node) Size() int64                { return int64(len(n.data)) }
func (n *node) Mode() fs.FileMode          { return n.mode }
func (n *node) Type() fs.FileMode          { return n.mode.Type() }
func (n *node) ModTime() time.Time         { return time.Time{} } // a tree has none
func (n *node) IsDir() bool                { return n.mode.IsDir() }
func (n *node) Sys() any                   { return nil }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }

// Open opens a file or folder by its path from the root of the repository.
func (t *treeFS) Open(name string) (fs.File, error) {
	n, err := t.at("open", name)
	switch {
	case err != nil:
		return nil, err
	case n.IsDir():
		return &openDir{node: n, left: n.children}, nil
	}
	if err := t.readable("open", name, n); err != nil {
		return nil, err
	}
	return &openFile{node: n, Reader: bytes.NewReader(n.data)}, nil
}

// Stat describes what is at the path; a symlink is not followed.
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	n, err := t.at("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ReadDir lists a folder, sorted by name.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.at("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errNotDir}
	}
	return entries(n.children), nil
}

// ReadFile gives the content of a file; the caller may change it.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	n, err := t.at("read", name)
	if err == nil {
		err = t.readable("read", name, n)
	}
	if err != nil {
		return nil, err
	}
	return bytes.Clone(n.data), nil
}

// TreeHash is described at [TreeHasher].
func (t *treeFS) TreeHash(name string) (string, bool) {
	if name == "" {
		name = "."
	}
	n, err := t.at("stat", name)
	if err != nil {
		return "", false
	}
	return n.hash.String(), true
}

func (t *treeFS) at(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := t.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.child(part); n == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

func (n *node) child(name string) *node {
	i, ok := slices.BinarySearchFunc(n.children, name, func(c *node, name string) int { return strings.Compare(c.name, name) })
	if !ok {
		return nil
	}
	return n.children[i]
}

// readable refuses what is no plain file, and what is none of the repository's.
func (t *treeFS) readable(op, name string, n *node) error {
	place := t.place
	place.File = name
	var what string
	switch {
	case n.mode.IsRegular() && isPointer(n.data):
		return &fs.PathError{Op: op, Path: name, Err: fault.New(fault.InvalidCatalog, place, "commit the file itself, or leave it out of content.paths", "%q is a pointer of Git LFS, whose file is not in the repository", path.Base(name))}
	case n.mode.IsRegular():
		return nil
	case n.IsDir():
		return &fs.PathError{Op: op, Path: name, Err: errIsDir}
	case n.mode&fs.ModeSymlink != 0:
		what = "symlink"
	case n.mode&fs.ModeIrregular != 0:
		what = "submodule"
	}
	return &fs.PathError{Op: op, Path: name, Err: fault.New(fault.SymlinkRefused, place, "commit the file itself", "%q is a %s, which is not followed", path.Base(name), what)}
}

type pathError string

func (e pathError) Error() string { return string(e) }

const (
	errNotDir = pathError("not a folder")
	errIsDir  = pathError("is a folder")
)

func entries(children []*node) []fs.DirEntry {
	list := make([]fs.DirEntry, len(children))
	for i, c := range children {
		list[i] = c
	}
	return list
}

// openFile is an [fs.File] that can seek.
type openFile struct {
	*node
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openFile) Close() error               { return nil }
func (f *openFile) Size() int64                { return f.node.Size() }

// openDir is an [fs.ReadDirFile].
type openDir struct {
	*node
	left []*node
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errIsDir}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	take := len(d.left)
	if n > 0 {
		if take == 0 {
			return nil, io.EOF
		}
		take = min(n, take)
	}
	list := entries(d.left[:take])
	d.left = d.left[take:]
	return list, nil
}
