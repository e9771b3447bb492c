package world

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"code.gitea.io/sdk/gitea"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/util"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
)

// Repository is a repository on Gitea with a work tree in memory.
type Repository struct {
	// Owner and Name on Gitea.
	Owner, Name string
	// URL to clone, without credentials.
	URL string
	// Signer signs the commits that are made; nil leaves them unsigned.
	Signer git.Signer

	world *World
	git   *git.Repository
}

// NewRepository makes an empty repository.
func (w *World) NewRepository(name string) (*Repository, error) {
	created, _, err := w.Gitea.CreateRepo(gitea.CreateRepoOption{Name: name, DefaultBranch: "main"})
	if err != nil {
		return nil, fmt.Errorf("creating the repository %q: %w", name, err)
	}
	r := &Repository{Owner: created.Owner.UserName, Name: name, URL: fmt.Sprintf("%s/%s/%s.git", w.GiteaURL, created.Owner.UserName, name), world: w}
	if r.git, err = git.Init(memory.NewStorage(), memfs.New()); err != nil {
		return nil, err
	}
	if err := r.git.Storer.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, "refs/heads/main")); err != nil {
		return nil, err
	}
	_, err = r.git.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{r.URL}})
	return r, err
}

// Delete removes the repository from Gitea.
func (r *Repository) Delete() error {
	_, err := r.world.Gitea.DeleteRepo(r.Owner, r.Name)
	return err
}

// Push commits files (by path; nil removes one) to a branch, which is made from main when it
// is new, pushes it, and gives the commit.
func (r *Repository) Push(ctx context.Context, branch string, files map[string][]byte) (string, error) {
	tree, err := r.stage(branch, files, 0o755)
	if err != nil {
		return "", err
	}
	return r.commitAndPush(ctx, tree, branch, false)
}

// PushPlain does as Push, with files that nobody can execute.
func (r *Repository) PushPlain(ctx context.Context, branch string, files map[string][]byte) (string, error) {
	tree, err := r.stage(branch, files, 0o644)
	if err != nil {
		return "", err
	}
	return r.commitAndPush(ctx, tree, branch, false)
}

// Amend does as Push, but puts its commit in the place of the branch's last one, so that the
// push is by force.
func (r *Repository) Amend(ctx context.Context, branch string, files map[string][]byte) (string, error) {
	tree, err := r.stage(branch, files, 0o755)
	if err != nil {
		return "", err
	}
	return r.commitAndPush(ctx, tree, branch, true)
}

// stage puts files into the index of the branch, with a mode for those that are new.
func (r *Repository) stage(branch string, files map[string][]byte, mode fs.FileMode) (*git.Worktree, error) {
	tree, err := r.git.Worktree()
	if err != nil {
		return nil, err
	}
	if err := r.checkOut(tree, branch); err != nil {
		return nil, err
	}
	for path, data := range files {
		if data == nil {
			if _, err := tree.Remove(path); err != nil {
				return nil, fmt.Errorf("removing %q: %w", path, err)
			}
			continue
		}
		if err := util.WriteFile(tree.Filesystem, path, data, mode); err != nil {
			return nil, fmt.Errorf("writing %q: %w", path, err)
		}
		if _, err := tree.Add(path); err != nil {
			return nil, fmt.Errorf("adding %q: %w", path, err)
		}
	}
	return tree, nil
}

func (r *Repository) commitAndPush(ctx context.Context, tree *git.Worktree, branch string, amend bool) (string, error) {
	hash, err := tree.Commit("Change "+branch, &git.CommitOptions{Author: author(), Signer: r.Signer, Amend: amend})
	if err != nil {
		return "", fmt.Errorf("committing to %q: %w", branch, err)
	}
	spec := "refs/heads/" + branch + ":refs/heads/" + branch
	if amend {
		spec = "+" + spec
	}
	return hash.String(), r.push(ctx, spec)
}

func author() *object.Signature {
	return &object.Signature{Name: "Ada", Email: "ada@shop.example", When: time.Now()}
}

// push pushes what the refspec says.
func (r *Repository) push(ctx context.Context, spec string) error {
	err := r.git.PushContext(ctx, &git.PushOptions{RefSpecs: []config.RefSpec{config.RefSpec(spec)}, Auth: &githttp.BasicAuth{Username: r.world.User, Password: r.world.Token}})
	if err != nil {
		return fmt.Errorf("pushing %q: %w", spec, err)
	}
	return nil
}

// PushTag tags the commit that was made last, and pushes the tag. One with a message is an
// object of its own.
func (r *Repository) PushTag(ctx context.Context, name, message string) error {
	head, err := r.git.Head()
	if err != nil {
		return err
	}
	var options *git.CreateTagOptions
	if message != "" {
		options = &git.CreateTagOptions{Tagger: author(), Message: message}
	}
	if _, err := r.git.CreateTag(name, head.Hash(), options); err != nil {
		return fmt.Errorf("tagging %q: %w", name, err)
	}
	return r.push(ctx, "refs/tags/"+name+":refs/tags/"+name)
}

// Reset moves the branch to a commit that was made before, by force.
func (r *Repository) Reset(ctx context.Context, branch, commit string) error {
	ref := plumbing.NewHashReference(plumbing.NewBranchReferenceName(branch), plumbing.NewHash(commit))
	if err := r.git.Storer.SetReference(ref); err != nil {
		return fmt.Errorf("resetting %q: %w", branch, err)
	}
	return r.push(ctx, "+refs/heads/"+branch+":refs/heads/"+branch)
}

// DeleteBranch deletes the branch on Gitea.
func (r *Repository) DeleteBranch(ctx context.Context, branch string) error {
	return r.push(ctx, ":refs/heads/"+branch)
}

func (r *Repository) checkOut(tree *git.Worktree, branch string) error {
	ref := plumbing.NewBranchReferenceName(branch)
	main, err := r.git.Reference("refs/heads/main", true)
	if err != nil {
		return nil // the first commit
	}
	if _, err := r.git.Reference(ref, true); err == nil {
		return tree.Checkout(&git.CheckoutOptions{Branch: ref, Force: true})
	}
	return tree.Checkout(&git.CheckoutOptions{Branch: ref, Hash: main.Hash(), Create: true, Force: true})
}

// OpenPullRequest opens one from the branch into main, as soon as Gitea knows the branch: of
// what is pushed it learns in the background.
func (r *Repository) OpenPullRequest(ctx context.Context, branch, title string) (number int64, err error) {
	err = Until(ctx, fmt.Sprintf("there is a pull request from %q", branch), func(context.Context) (bool, error) {
		pull, response, err := r.world.Gitea.CreatePullRequest(r.Owner, r.Name, gitea.CreatePullRequestOption{Head: branch, Base: "main", Title: title})
		if response != nil && response.Response != nil && response.StatusCode == http.StatusNotFound {
			return false, nil
		}
		if err == nil {
			number = pull.Index
		}
		return err == nil, err
	})
	return number, err
}

// Statuses gives the newest status of each context of the commit.
func (r *Repository) Statuses(commit string) (map[string]gitea.Status, error) {
	all, _, err := r.world.Gitea.ListStatuses(r.Owner, r.Name, commit, gitea.ListStatusesOption{ListOptions: gitea.ListOptions{PageSize: 50}})
	if err != nil {
		return nil, fmt.Errorf("listing the statuses of %s: %w", commit, err)
	}
	newest := map[string]gitea.Status{}
	for _, s := range all {
		if have, ok := newest[s.Context]; !ok || s.ID > have.ID {
			newest[s.Context] = *s
		}
	}
	return newest, nil
}

// Comments gives the comments of a pull request, oldest first.
func (r *Repository) Comments(number int64) ([]*gitea.Comment, error) {
	comments, _, err := r.world.Gitea.ListIssueComments(r.Owner, r.Name, number, gitea.ListIssueCommentOptions{})
	return comments, err
}

// PushSymlink commits a symlink in place of path and pushes the branch.
func (r *Repository) PushSymlink(ctx context.Context, branch, path, target string) (string, error) {
	tree, err := r.git.Worktree()
	if err != nil {
		return "", err
	}
	if err := tree.Filesystem.Remove(path); err != nil {
		return "", fmt.Errorf("removing %q: %w", path, err)
	}
	if err := tree.Filesystem.Symlink(target, path); err != nil {
		return "", fmt.Errorf("linking %q: %w", path, err)
	}
	if _, err := tree.Add(path); err != nil {
		return "", fmt.Errorf("adding %q: %w", path, err)
	}
	return r.commitAndPush(ctx, tree, branch, false)
}
