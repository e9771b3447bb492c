package git

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/assay-dev/assay/api/fault"
)

// ChangedInWorkTree lists the paths, from the root of the repository and sorted, that differ
// between a commit and the files on disk, tracked or untracked but not ignored. dir is a path
// in the repository to look below, "" for all.
//
// Files that Git would convert on the way in (line endings, Git LFS) are told apart by their
// time stamps in the index, so one that was touched counts as changed.
func (l *Local) ChangedInWorkTree(base, dir string) ([]string, error) {
	commit, err := parseCommit(base)
	if err != nil {
		return nil, err
	}
	parts, err := parsePath(filepath.ToSlash(dir))
	if err != nil {
		return nil, err
	}
	c := &comparison{local: l, below: strings.Join(parts, "/"), base: map[string]object.TreeEntry{}}
	if err := c.gather(commit); err != nil {
		return nil, fault.At(err, fault.Place{Commit: base})
	}
	if err := c.folder(nil, c.outermost(), false); err != nil {
		return nil, err
	}
	c.absent()
	slices.Sort(c.changed)
	return c.changed, nil
}

// comparison is the state of one ChangedInWorkTree.
type comparison struct {
	local   *Local
	below   string
	base    map[string]object.TreeEntry // what was not met on disk yet
	tracked map[string]*index.Entry
	folders map[string]bool // that hold something tracked
	index   *index.Index
	modes   bool // the file system tells executable files apart
	changed []string
}

func (c *comparison) gather(commit plumbing.Hash) error {
	root, err := rootTree(c.local.source(), commit)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return fault.New(fault.RefNotFound, fault.Place{}, "fetch it", "the commit is not in the working copy")
	}
	if err == nil {
		err = c.flatten("", root, 0)
	}
	if err != nil {
		return err
	}
	if c.index, err = c.local.repository.Storer.Index(); err != nil {
		return err
	}
	config, err := c.local.repository.Config()
	if err != nil {
		return err
	}
	c.modes = config.Raw.Section("core").Option("filemode") != "false"
	c.tracked, c.folders = map[string]*index.Entry{}, map[string]bool{}
	for _, e := range c.index.Entries {
		c.tracked[e.Name] = e
		for folder := e.Name; strings.Contains(folder, "/"); {
			folder = folder[:strings.LastIndex(folder, "/")]
			if c.folders[folder] {
				break
			}
			c.folders[folder] = true
		}
	}
	return nil
}

func (c *comparison) flatten(path string, hash plumbing.Hash, depth int) error {
	if depth > maxChangedDepth || len(c.base) > 20*maxChanged {
		return fault.New(fault.LimitExceeded, fault.Place{File: path}, "", "the tree of the commit is too big to compare")
	}
	list, err := treeEntries(c.local.source(), hash)
	if err != nil {
		return err
	}
	for _, e := range list {
		name := join(path, e.Name)
		if e.Mode != filemode.Dir {
			c.base[name] = e
		} else if err := c.flatten(name, e.Hash, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// folder compares what is in a folder on disk. left says that a parent is ignored, so that
// only tracked files count.
func (c *comparison) folder(parts []string, ignore ignored, left bool) error {
	path := strings.Join(parts, "/")
	here := filepath.Join(c.local.root, filepath.FromSlash(path))
	list, err := os.ReadDir(here)
	if err != nil {
		return err
	}
	ignore = ignore.with(filepath.Join(here, ".gitignore"), parts)
	for _, entry := range list {
		name := join(path, entry.Name())
		if entry.Name() == ".git" || !c.onTheWay(name) {
			continue
		}
		whole := append(slices.Clip(parts), entry.Name())
		out := left || ignore.match(whole, entry.IsDir())
		switch {
		case !entry.IsDir() && (c.tracked[name] != nil || !out):
			err = c.file(name, entry)
		case entry.IsDir() && c.isSubmodule(name):
			c.submodule(name)
		case entry.IsDir() && (!out || c.folders[name]) && !isRepository(filepath.Join(here, entry.Name())):
			err = c.folder(whole, ignore, out)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// onTheWay says whether a path leads to what is asked for, or lies below it.
func (c *comparison) onTheWay(path string) bool {
	return c.below == "" || path == c.below || strings.HasPrefix(path, c.below+"/") || strings.HasPrefix(c.below, path+"/")
}

func (c *comparison) inside(path string) bool {
	return c.below == "" || path == c.below || strings.HasPrefix(path, c.below+"/")
}

func (c *comparison) differs(path string) {
	if c.inside(path) {
		c.changed = append(c.changed, strings.ToValidUTF8(path, "\uFFFD"))
	}
}

func (c *comparison) file(path string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone since the folder was read
	}
	if err != nil {
		return err
	}
	old, was := c.base[path]
	delete(c.base, path)
	hash, mode, err := c.identify(path, info)
	if err != nil {
		return err
	}
	if !c.modes && mode.IsFile() && old.Mode.IsFile() && mode != filemode.Symlink && old.Mode != filemode.Symlink {
		mode = old.Mode
	}
	if old.Mode == filemode.Deprecated { // written by Git before 2005
		old.Mode = filemode.Regular
	}
	if !was || hash != old.Hash || mode != old.Mode {
		c.differs(path)
	}
	return nil
}

// identify gives what Git would record for a file: by the index when the file was not touched
// since it was written, or else by its content.
func (c *comparison) identify(path string, info fs.FileInfo) (plumbing.Hash, filemode.FileMode, error) {
	full := filepath.Join(c.local.root, filepath.FromSlash(path))
	mode := filemode.Regular
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		return plumbing.ComputeHash(plumbing.BlobObject, []byte(filepath.ToSlash(target))), filemode.Symlink, err
	case !info.Mode().IsRegular():
		return plumbing.ZeroHash, filemode.Empty, nil // a socket or the like, which Git cannot hold
	case info.Mode()&0o111 != 0:
		mode = filemode.Executable
	}
	if e := c.tracked[path]; c.untouched(e, info) {
		if e.Mode == filemode.Symlink { // on a file system without any
			mode = e.Mode
		}
		return e.Hash, mode, nil
	}
	hash, err := hashFile(full, info.Size())
	return hash, mode, err
}

// untouched says whether the index can be trusted about a file. One written in the same moment
// as the index may have been written again since.
func (c *comparison) untouched(e *index.Entry, info fs.FileInfo) bool {
	return e != nil && e.Stage == 0 && !e.IntentToAdd && uint32(info.Size()) == e.Size &&
		info.ModTime().Equal(e.ModifiedAt) && e.ModifiedAt.Before(c.index.ModTime)
}

func hashFile(path string, size int64) (plumbing.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	defer func() { _ = f.Close() }() // it was only read from
	hasher := plumbing.NewHasher(plumbing.BlobObject, size)
	if _, err := io.Copy(hasher, f); err != nil {
		return plumbing.ZeroHash, err
	}
	return hasher.Sum(), nil
}

func (c *comparison) isSubmodule(path string) bool {
	e := c.tracked[path]
	return c.base[path].Mode == filemode.Submodule || e != nil && e.Mode == filemode.Submodule
}

// submodule compares the commit checked out there, or where there is none the one in the index.
func (c *comparison) submodule(path string) {
	old := c.base[path]
	delete(c.base, path)
	var now plumbing.Hash
	if e := c.tracked[path]; e != nil {
		now = e.Hash
	}
	if inner, err := gogit.PlainOpen(filepath.Join(c.local.root, filepath.FromSlash(path))); err == nil {
		if head, err := inner.Head(); err == nil {
			now = head.Hash()
		}
	}
	if old.Mode != filemode.Submodule || old.Hash != now {
		c.differs(path)
	}
}

func isRepository(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, ".git"))
	return err == nil
}

// absent handles what the commit has and the disk lacks: deleted, unless a sparse checkout
// leaves it out.
func (c *comparison) absent() {
	for path, old := range c.base {
		if e := c.tracked[path]; e != nil && e.SkipWorktree && e.Hash == old.Hash {
			continue
		}
		c.differs(path)
	}
}
