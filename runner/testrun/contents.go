package testrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/content"
)

// Contents packs the content of suites and keeps the tars in a folder, by digest. What is
// lost, or was packed by another replica, is packed again from the commit. It is safe for
// concurrent use.
type Contents struct {
	reader   client.Reader
	source   catalogs.Source
	catalogs *catalogs.Catalogs
	dir      string
	budget   int64
	digests  *lru.Cache
	packing  singleflight.Group
}

// remembered is how many digests are known: those of a suite at a commit, of a few dozen bytes each.
const remembered = 1 << 14

// NewContents keeps up to budget bytes of tars in dir; 0 means 1 GiB. The reader reads
// TestRepositories.
func NewContents(reader client.Reader, source catalogs.Source, rendered *catalogs.Catalogs, dir string, budget int64) (*Contents, error) {
	if budget == 0 {
		budget = 1 << 30
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for contents: %w", err)
	}
	return &Contents{reader: reader, source: source, catalogs: rendered, dir: dir, budget: budget, digests: lru.New(remembered)}, nil
}

// Digest gives the digest of what the suite's pod gets at the commit, and has it ready. It is
// empty for a suite that runs its image's own entry point, which gets nothing.
func (c *Contents) Digest(ctx context.Context, repo *v1alpha1.TestRepository, commit string, suite catalog.Suite) (string, error) {
	if !runner.Wrapped(suite) {
		return "", nil
	}
	key, paths := contentKey(repo, commit, suite)
	if digest, ok := c.kept(key); ok {
		return digest, nil
	}
	// Whoever asks meanwhile waits for the same tar, as long as it wants to.
	result := c.packing.DoChan(key, func() (any, error) {
		packing, cancel := context.WithTimeout(context.WithoutCancel(ctx), packTimeout)
		defer cancel()
		return c.pack(packing, repo, commit, paths)
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case packed := <-result:
		if packed.Err != nil {
			return "", fault.At(packed.Err, fault.Place{Repository: repo.Spec.URL, Commit: commit, File: suite.File, Field: "spec.content.paths"})
		}
		c.digests.Add(key, packed.Val)
		return packed.Val.(string), nil
	}
}

// packTimeout bounds packing once more, where nobody waits for it any more.
const packTimeout = 15 * time.Minute

// Has says whether Digest answers at once.
func (c *Contents) Has(repo *v1alpha1.TestRepository, commit string, suite catalog.Suite) bool {
	key, _ := contentKey(repo, commit, suite)
	_, ok := c.kept(key)
	return ok || !runner.Wrapped(suite)
}

// kept gives the digest of what was packed and is still there.
func (c *Contents) kept(key string) (string, bool) {
	known, ok := c.digests.Get(key)
	if !ok {
		return "", false
	}
	digest := known.(string)
	_, err := os.Stat(c.file(digest))
	return digest, err == nil
}

// contentKey tells contents apart before they are packed.
func contentKey(repo *v1alpha1.TestRepository, commit string, suite catalog.Suite) (key string, paths []string) {
	paths = suite.ContentPaths(repo.TestsPath())
	return strings.Join(append([]string{repo.Namespace, repo.Name, repo.Spec.URL, commit}, paths...), "\x00"), paths
}

// Open gives the tar of the digest, for a pod of the run's suite. The caller closes it.
func (c *Contents) Open(ctx context.Context, run *v1alpha1.TestRun, suite, digest string) (io.ReadCloser, error) {
	file, err := os.Open(c.file(digest))
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	repo := &v1alpha1.TestRepository{}
	if err := c.reader.Get(ctx, types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.RepositoryRef.Name}, repo); err != nil {
		return nil, fmt.Errorf("reading the TestRepository %q: %w", run.Spec.RepositoryRef.Name, err)
	}
	rendered, err := c.catalogs.At(ctx, repo, run.Spec.Commit, run.Spec.Environment)
	if err != nil {
		return nil, err
	}
	found, ok := rendered.Suite(suite)
	if !ok {
		return nil, fault.New(fault.SuiteNotFound, fault.Place{Commit: run.Spec.Commit}, "", "there is no suite %q", suite)
	}
	if packed, err := c.Digest(ctx, repo, run.Spec.Commit, found); err != nil {
		return nil, err
	} else if packed != digest {
		return nil, fault.New(fault.InternalError, fault.Place{Commit: run.Spec.Commit}, "", "the content of %q is %s now, not %s", suite, packed, digest)
	}
	return os.Open(c.file(digest))
}

// file is where the tar of the digest is kept. Only what Pack gives is ever written there, and
// only the last element of a digest is used.
func (c *Contents) file(digest string) string {
	return filepath.Join(c.dir, filepath.Base(strings.TrimPrefix(digest, "sha256:"))+".tar")
}

func (c *Contents) pack(ctx context.Context, repo *v1alpha1.TestRepository, commit string, paths []string) (digest string, err error) {
	trees := union{}
	for _, path := range paths {
		if trees[path], err = c.source.Tree(ctx, repo, commit, path); err != nil {
			return "", err
		}
	}
	tmp, err := os.CreateTemp(c.dir, "packing-*")
	if err != nil {
		return "", fmt.Errorf("packing: %w", err)
	}
	defer func() {
		err = errors.Join(err, tmp.Close())
		if err != nil {
			_ = os.Remove(tmp.Name()) // what is left is pruned with the rest
		}
	}()
	if digest, err = content.Pack(tmp, trees, paths, content.Limits{}); err != nil {
		return "", err
	}
	// After a crash a file must not have its name without its bytes.
	if err := tmp.Sync(); err != nil {
		return "", fmt.Errorf("keeping the content: %w", err)
	}
	if err := os.Rename(tmp.Name(), c.file(digest)); err != nil {
		return "", fmt.Errorf("keeping the content: %w", err)
	}
	return digest, c.prune(c.file(digest))
}

// prune removes the oldest files until the rest fits the budget; keep stays.
func (c *Contents) prune(keep string) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("pruning contents: %w", err)
	}
	type file struct {
		path string
		size int64
		at   time.Time
	}
	var files []file
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // removed meanwhile
		}
		files = append(files, file{filepath.Join(c.dir, e.Name()), info.Size(), info.ModTime()})
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b file) int { return a.at.Compare(b.at) })
	for _, f := range files {
		if total <= c.budget {
			return nil
		}
		if f.path == keep {
			continue
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("pruning contents: %w", err)
		}
		total -= f.size
	}
	return nil
}

// union is a tree put together from the trees below several paths.
type union map[string]fs.FS

// Open opens a file from the tree whose path is nearest to it.
func (u union) Open(name string) (fs.File, error) {
	best := ""
	for path := range u {
		if (name == path || strings.HasPrefix(name, path+"/") || path == ".") && len(path) >= len(best) {
			best = path
		}
	}
	tree, ok := u[best]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return tree.Open(name)
}
