package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/helper/iofs"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/util"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
)

// workingCopy is a clone of the shop's repository, in memory.
type workingCopy struct {
	repository *git.Repository
	folder     billy.Filesystem
	auth       transport.AuthMethod
}

// openWorkingCopy clones the main branch, or starts one for a repository without commits.
func openWorkingCopy(ctx context.Context, h host) (*workingCopy, error) {
	w := &workingCopy{folder: memfs.New(), auth: &http.BasicAuth{Username: h.user, Password: h.token}}
	main := plumbing.NewBranchReferenceName("main")
	var err error
	w.repository, err = git.CloneContext(ctx, memory.NewStorage(), w.folder, &git.CloneOptions{
		URL: h.repository(), Auth: w.auth, ReferenceName: main, SingleBranch: true,
	})
	if !errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return w, wrap(err, "clone %s", h.repository())
	}
	w.folder = memfs.New()
	w.repository, err = git.InitWithOptions(memory.NewStorage(), w.folder, git.InitOptions{DefaultBranch: main})
	if err != nil {
		return nil, err
	}
	_, err = w.repository.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{h.repository()}})
	return w, err
}

// replaceAll makes the files those of the tree, and removes every other one.
func (w *workingCopy) replaceAll(files fs.FS) error {
	entries, err := w.folder.ReadDir("/")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != git.GitDirName {
			if err := util.RemoveAll(w.folder, e.Name()); err != nil {
				return err
			}
		}
	}
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if err := w.folder.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		return util.WriteFile(w.folder, name, data, info.Mode().Perm())
	})
}

// write replaces one file.
func (w *workingCopy) write(name, text string) error {
	return util.WriteFile(w.folder, name, []byte(text), 0o644)
}

// files gives the files as they are now.
func (w *workingCopy) files() fs.FS { return iofs.New(w.folder) }

// branch starts a branch where main is, and goes there.
func (w *workingCopy) branch(name string) error {
	folder, err := w.repository.Worktree()
	if err != nil {
		return err
	}
	return wrap(folder.Checkout(&git.CheckoutOptions{Branch: plumbing.NewBranchReferenceName(name), Create: true}), "branch %s", name)
}

// commit commits every change, or none, and gives the hash.
func (w *workingCopy) commit(message string) (string, error) {
	folder, err := w.repository.Worktree()
	if err != nil {
		return "", err
	}
	if err := folder.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return "", fmt.Errorf("add: %w", err)
	}
	hash, err := folder.Commit(message, &git.CommitOptions{
		Author:            &object.Signature{Name: "Robin Example", Email: "robin@example.com", When: time.Now()},
		AllowEmptyCommits: true,
	})
	return hash.String(), wrap(err, "commit %q", message)
}

// push pushes the branch that is checked out.
func (w *workingCopy) push(ctx context.Context) error {
	head, err := w.repository.Head()
	if err != nil {
		return err
	}
	err = w.repository.PushContext(ctx, &git.PushOptions{
		Auth: w.auth, RefSpecs: []config.RefSpec{config.RefSpec(head.Name() + ":" + head.Name())},
	})
	if errors.Is(err, git.NoErrAlreadyUpToDate) {
		return nil
	}
	return wrap(err, "push %s", head.Name().Short())
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
