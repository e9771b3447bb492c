package testrepository

import (
	"context"
	"io/fs"
	"time"

	"k8s.io/utils/lru"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/sync/git"
)

// Git reads commits. sync/git's Client satisfies it, and so does its Cache.
type Git interface {
	// Commit gives a commit as Git stores it.
	Commit(ctx context.Context, at git.Endpoint, commit string) ([]byte, error)
	// Tree gives the files below a path of a commit, rooted at the root of the repository.
	// It is immutable and safe for concurrent use.
	Tree(ctx context.Context, at git.Endpoint, commit, path string) (fs.FS, error)
	// Changed gives the paths that differ between two commits, sorted; known is false when
	// that cannot be found out.
	Changed(ctx context.Context, at git.Endpoint, base, head string) (paths []string, known bool, err error)
}

// Source gives the files of a TestRepository's commits to whoever plans and runs, without
// their knowing of Git or credentials. Use NewSource.
type Source struct {
	// Access reads credentials.
	Access *Access
	// Git reads commits.
	Git Git
	// History knows where commits belong.
	History History

	// found are commits that are reachable, of two hundred bytes each.
	found *lru.Cache
}

// NewSource gives the source that reads with the access, and remembers where commits belong.
func NewSource(access *Access, git Git, history History) Source {
	return Source{Access: access, Git: git, History: history, found: lru.New(4096)}
}

// Verify says whether a commit is signed by a key that may, where the TestRepository asks for
// that; the fault is SignatureInvalid. The keys are read each time, so that one that was taken
// out of the Secret counts no more.
func (s Source) Verify(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error {
	if repo.Spec.Verify == nil {
		return nil
	}
	keys, err := s.Access.Keys(ctx, repo)
	if err != nil {
		return err
	}
	at, err := s.Access.Endpoint(ctx, repo)
	if err != nil {
		return err
	}
	place := fault.Place{Repository: repo.Spec.URL, Commit: commit}
	content, err := s.Git.Commit(ctx, at, commit)
	if err != nil {
		return fault.At(err, place)
	}
	return fault.At(keys.Verify(commit, content, time.Now()), place)
}

// Tree gives the files below path at the commit, rooted at the root of the repository.
func (s Source) Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error) {
	at, err := s.Access.Endpoint(ctx, repo)
	if err != nil {
		return nil, err
	}
	tree, err := s.Git.Tree(ctx, at, commit, path)
	return tree, fault.At(err, fault.Place{Commit: commit})
}

// Changed gives the paths that differ between two commits; known is false when that cannot
// be found out.
func (s Source) Changed(ctx context.Context, repo *v1alpha1.TestRepository, base, head string) ([]string, bool, error) {
	at, err := s.Access.Endpoint(ctx, repo)
	if err != nil {
		return nil, false, err
	}
	paths, known, err := s.Git.Changed(ctx, at, base, head)
	return paths, known, fault.At(err, fault.Place{Commit: head})
}
