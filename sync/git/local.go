package git

import (
	"io"
	"io/fs"
	"path/filepath"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"github.com/assay-dev/assay/api/fault"
)

// Local is a working copy on disk, for the command line. Unlike what a host sends, it is the
// user's own. It is not safe for concurrent use; the trees it gives are.
type Local struct {
	root       string
	repository *gogit.Repository
	limits     Limits
}

// OpenLocal opens the working copy that dir lies in, be it a clone or a linked work tree.
func OpenLocal(dir string) (*Local, error) {
	repository, err := gogit.PlainOpenWithOptions(dir, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return nil, fault.New(fault.RepositoryNotFound, fault.Place{}, "run it inside a working copy", "%q is in no Git repository: %w", dir, err)
	}
	work, err := repository.Worktree()
	if err != nil {
		return nil, fault.New(fault.RepositoryNotFound, fault.Place{}, "run it inside a working copy", "%q is in a bare Git repository: %w", dir, err)
	}
	root, err := filepath.EvalSymlinks(work.Filesystem.Root())
	if err != nil {
		return nil, err
	}
	return &Local{root: root, repository: repository, limits: Limits{}.withDefaults()}, nil
}

// Root is the top folder of the working copy, absolute and without symlinks.
func (l *Local) Root() string { return l.root }

// Head gives the commit that is checked out; a RefNotFound fault before the first commit.
func (l *Local) Head() (string, error) { return l.Resolve("HEAD") }

// Resolve gives the commit that a revision such as main, HEAD~2 or v1.2 names.
func (l *Local) Resolve(revision string) (string, error) {
	hash, err := l.repository.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return "", fault.New(fault.RefNotFound, fault.Place{}, "name a branch, tag or commit that was fetched", "%q names no commit: %w", clip(revision), err)
	}
	return hash.String(), nil
}

// Tree reads the files below path of a commit as [Client.Tree] does, within the default limits.
func (l *Local) Tree(commit, path string) (fs.FS, error) {
	hash, err := parseCommit(commit)
	if err != nil {
		return nil, err
	}
	parts, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	o := &outline{source: l.source(), limits: l.limits, place: fault.Place{Commit: commit}}
	root, err := o.draw(hash, parts)
	if err != nil {
		return nil, err
	}
	if err := o.fill(); err != nil {
		return nil, err
	}
	return o.done(root), nil
}

func (l *Local) source() source { return onDisk{l.repository.Storer} }

// onDisk is the object folder of a working copy.
type onDisk struct{ objects storer.EncodedObjectStorer }

func (d onDisk) read(kind plumbing.ObjectType, hash plumbing.Hash, most int64) (content []byte, err error) {
	o, err := d.objects.EncodedObject(kind, hash)
	if err != nil {
		return nil, err
	}
	if o.Size() > most {
		return nil, tooBigError{o.Size()}
	}
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read from
	return io.ReadAll(r)
}
