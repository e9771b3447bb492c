package git

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/assay-dev/assay/api/fault"
)

// source is where objects are read from: a [store], or the object folder of a working copy.
type source interface {
	// read gives the content of an object, which must not be changed: a tooBigError when it
	// has more than most bytes, plumbing.ErrObjectNotFound when it is not there.
	read(kind plumbing.ObjectType, hash plumbing.Hash, most int64) ([]byte, error)
}

// rootTree gives the tree of a commit.
func rootTree(from source, commit plumbing.Hash) (plumbing.Hash, error) {
	content, err := from.read(plumbing.CommitObject, commit, structureBytes)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	var decoded object.Commit
	err = decoded.Decode(encoded(plumbing.CommitObject, content))
	return decoded.TreeHash, err
}

// treeEntries gives what is in a folder, as it is written there.
func treeEntries(from source, hash plumbing.Hash) ([]object.TreeEntry, error) {
	content, err := from.read(plumbing.TreeObject, hash, structureBytes)
	if err != nil {
		return nil, err
	}
	var decoded object.Tree
	err = decoded.Decode(encoded(plumbing.TreeObject, content))
	return decoded.Entries, err
}

func encoded(kind plumbing.ObjectType, content []byte) plumbing.EncodedObject {
	o := &plumbing.MemoryObject{}
	o.SetType(kind)
	_, _ = o.Write(content) // memory takes everything
	return o
}

// outline builds the nodes of a tree: first all names, then the content of files.
type outline struct {
	source source
	known  func(plumbing.Hash) *branch // as in [known]; nil for nothing
	limits Limits
	place  fault.Place
	files  []file
	nodes  int
	bytes  int64
}

// again starts over with another source.
func (o *outline) again(from source) *outline {
	return &outline{source: from, known: o.known, limits: o.limits, place: o.place}
}

func (o *outline) done(root *node) *treeFS {
	return &treeFS{place: o.place, root: root, bytes: o.bytes, nodes: len(o.files) + o.nodes}
}

type file struct {
	node *node
	path string
}

// draw gives the root with what is below the path; on the way there, only the way.
func (o *outline) draw(commit plumbing.Hash, parts []string) (*node, error) {
	hash, err := rootTree(o.source, commit)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, o.at("", fault.RefNotFound, "give the hash of a commit that was pushed", "the commit is not there")
	}
	if err != nil {
		return nil, o.broken("", err)
	}
	root := &node{name: ".", mode: fs.ModeDir | 0o555, hash: hash}
	here := root
	for i, part := range parts {
		path := strings.Join(parts[:i], "/")
		all, err := treeEntries(o.source, here.hash)
		if err != nil {
			return nil, o.broken(path, err)
		}
		at := slices.IndexFunc(all, func(e object.TreeEntry) bool { return e.Name == part })
		if at < 0 {
			return root, nil
		}
		next := o.node(all[at], join(path, part))
		here.children = []*node{next}
		if here = next; !here.IsDir() && i < len(parts)-1 {
			return root, nil
		}
	}
	if o.recall(here) || !here.IsDir() {
		return root, nil
	}
	return root, o.below(here, strings.Join(parts, "/"), len(parts))
}

// recall takes over what is known of the file or folder at the path.
func (o *outline) recall(here *node) bool {
	if o.known == nil {
		return false
	}
	b := o.known(here.hash)
	if b == nil || b.node.mode.Type() != here.mode.Type() {
		return false
	}
	here.children, here.data = b.node.children, b.node.data
	o.files, o.nodes, o.bytes = nil, b.nodes, b.bytes
	return true
}

func (o *outline) below(dir *node, path string, depth int) error {
	all, err := treeEntries(o.source, dir.hash)
	if err != nil {
		return o.broken(path, err)
	}
	for _, entry := range all {
		name := join(path, entry.Name)
		if !validName(entry.Name) || len(name) > maxPath {
			return o.at(path, fault.InvalidCatalog, "rename it", "the name %q is refused", clip(entry.Name))
		}
		if o.nodes++; o.nodes > o.limits.Files {
			return o.at(path, fault.LimitExceeded, "keep fewer files there, or raise the limit", "more than %d files and folders", o.limits.Files)
		}
		if depth >= o.limits.Depth {
			return o.at(name, fault.LimitExceeded, "nest less, or raise the limit", "more than %d folders deep", o.limits.Depth)
		}
		child := o.node(entry, name)
		dir.children = append(dir.children, child)
		if child.IsDir() {
			if err := o.below(child, name, depth+1); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(dir.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	for i := range dir.children[min(1, len(dir.children)):] {
		if dir.children[i].name == dir.children[i+1].name {
			return o.at(path, fault.InvalidCatalog, "write the folder again", "the name %q is there twice", dir.children[i].name)
		}
	}
	return nil
}

// node makes a node of an entry; files are noted to be filled.
func (o *outline) node(entry object.TreeEntry, path string) *node {
	n := &node{name: entry.Name, hash: entry.Hash}
	switch entry.Mode {
	case filemode.Dir:
		n.mode = fs.ModeDir | 0o555
	case filemode.Symlink:
		n.mode = fs.ModeSymlink | 0o444
	case filemode.Submodule:
		n.mode = fs.ModeIrregular | 0o444
	case filemode.Executable:
		n.mode = 0o555
	default:
		n.mode = 0o444
	}
	if n.mode.IsRegular() {
		o.files = append(o.files, file{n, path})
	}
	return n
}

// missing lists the blobs of files that are not in the store, each once.
func (o *outline) missing(objects *store) []plumbing.Hash {
	var list []plumbing.Hash
	seen := map[plumbing.Hash]bool{}
	for _, f := range o.files {
		if _, ok := objects.objects[f.node.hash]; !ok && !seen[f.node.hash] {
			seen[f.node.hash] = true
			list = append(list, f.node.hash)
		}
	}
	return list
}

func (o *outline) fill() error {
	for _, f := range o.files {
		content, err := o.source.read(plumbing.BlobObject, f.node.hash, o.limits.FileBytes)
		if unsure := (tooBigError{}); errors.Is(err, unsure) {
			return o.tooBig(f.path)
		}
		if err != nil {
			return o.broken(f.path, err)
		}
		if o.bytes += int64(len(content)); o.bytes > o.limits.TotalBytes {
			return o.at(f.path, fault.LimitExceeded, "keep smaller files there, or raise the limit", "more than %d bytes in all files together", o.limits.TotalBytes)
		}
		f.node.data = content
	}
	return nil
}

// tooBig is for a file that could not be had because something too big was dropped: itself, or
// what Git stored it as a difference to. A file that is known to be too big is named first.
func (o *outline) tooBig(path string) error {
	for _, f := range o.files {
		_, err := o.source.read(plumbing.BlobObject, f.node.hash, o.limits.FileBytes)
		if big := (tooBigError{}); errors.As(err, &big) && big.size > 0 {
			return o.broken(f.path, err)
		}
	}
	return o.at(path, fault.LimitExceeded, "keep smaller files, or raise the limit", "more than %d bytes, or stored as a difference to a file of more than %d", o.limits.FileBytes, structureBytes)
}

// broken is for objects that cannot be read.
func (o *outline) broken(path string, err error) error {
	var big tooBigError
	if errors.As(err, &big) {
		return o.at(path, fault.LimitExceeded, "keep smaller files, or raise the limit", "%d bytes, more than %d in a file", big.size, o.limits.FileBytes)
	}
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return o.at(path, fault.HostFailed, "", "an object is missing: %w", err)
	}
	return o.at(path, fault.HostFailed, "", "an object is malformed: %w", err)
}

func (o *outline) at(path string, reason fault.Reason, remedy, format string, args ...any) error {
	place := o.place
	place.File = path
	return fault.New(reason, place, remedy, format, args...)
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}
