//go:build e2e

package gitea_test

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	sdk "code.gitea.io/sdk/gitea"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/util"
	"github.com/go-git/go-git/v5"
	gitconfig "github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/gitea"
	"github.com/assay-dev/assay/providers/providerstest"
)

// The tests need a Gitea and an administrator on it: GITEA_URL, GITEA_USER and GITEA_TOKEN
// (every scope). Each world is a repository of its own.

const pageSize = 5

func TestGiteaConforms(t *testing.T) {
	h := newHost(t)
	providerstest.Run(t, func(t *testing.T) providerstest.World { return h.world(t) })
}

// Everybody who can read can propose by AGit; it must not pass for a branch of the repository.
func TestAGitIsAFork(t *testing.T) {
	h := newHost(t)
	repository := h.repository(t)
	clone, err := git.Clone(memory.NewStorage(), memfs.New(), &git.CloneOptions{URL: h.url + "/" + h.user + "/" + repository, Auth: h.basic()})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := clone.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if err := util.WriteFile(tree.Filesystem, "agit.txt", []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Add("agit.txt"); err != nil {
		t.Fatal(err)
	}
	head, err := tree.Commit("Propose by AGit", &git.CommitOptions{Author: &object.Signature{Name: "eve", Email: "eve@example.org", When: time.Unix(1767225600, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	err = clone.PushContext(t.Context(), &git.PushOptions{RemoteName: "origin", Auth: h.basic(), Options: map[string]string{"topic": "agit"},
		RefSpecs: []gitconfig.RefSpec{"refs/heads/main:refs/for/main"}})
	if err != nil {
		t.Fatal(err)
	}
	open, err := h.open(t, h.user+"/"+repository, h.token).PullRequests.Open(t.Context())
	if err != nil || len(open) != 1 || open[0].Head != head.String() || !open[0].Fork {
		t.Errorf("open = %+v, %v; want one with the head %s, marked as a fork", open, err, head)
	}
}

// A repository without commits, and one that does without pull requests, have none open. One
// that is not there is another matter.
func TestRepositoriesWithoutPullRequests(t *testing.T) {
	h := newHost(t)
	none := func(name string) {
		t.Helper()
		if open, err := h.open(t, h.user+"/"+name, h.token).PullRequests.Open(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("%s: open %v, %v", name, open, err)
		}
	}
	empty := fmt.Sprintf("empty-%d", time.Now().UnixNano())
	if _, _, err := h.admin.CreateRepo(sdk.CreateRepoOption{Name: empty}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.admin.DeleteRepo(h.user, empty) })
	none(empty)
	without, no := h.repository(t), false
	if _, _, err := h.admin.EditRepo(h.user, without, sdk.EditRepoOption{HasPullRequests: &no}); err != nil {
		t.Fatal(err)
	}
	none(without)
	if _, err := h.open(t, h.user+"/not-there", h.token).PullRequests.Open(t.Context()); fault.ReasonOf(err) != fault.RepositoryNotFound {
		t.Errorf("got %v", err)
	}
}

type host struct {
	url, user, token string
	admin            *sdk.Client
	eve              *sdk.Client
	eveToken         string
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{url: strings.TrimRight(os.Getenv("GITEA_URL"), "/"), user: os.Getenv("GITEA_USER"), token: os.Getenv("GITEA_TOKEN")}
	if h.url == "" || h.user == "" || h.token == "" {
		t.Fatal("set GITEA_URL, GITEA_USER and GITEA_TOKEN")
	}
	var err error
	if h.admin, err = sdk.NewClient(h.url, sdk.SetToken(h.token)); err != nil {
		t.Fatal(err)
	}
	name, password := fmt.Sprintf("eve-%d", time.Now().UnixNano()), "correct-horse-battery"
	no := false
	if _, _, err := h.admin.AdminCreateUser(sdk.CreateUserOption{Username: name, Email: name + "@example.org", Password: password, MustChangePassword: &no}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.admin.AdminDeleteUser(name) })
	if h.eve, err = sdk.NewClient(h.url, sdk.SetBasicAuth(name, password)); err != nil {
		t.Fatal(err)
	}
	token, _, err := h.eve.CreateAccessToken(sdk.CreateAccessTokenOption{Name: "assay", Scopes: []sdk.AccessTokenScope{"write:repository", "write:issue", "read:user"}})
	if err != nil {
		t.Fatal(err)
	}
	h.eveToken = token.Token
	return h
}

func (h *host) basic() *http.BasicAuth { return &http.BasicAuth{Username: h.user, Password: h.token} }

// repository makes a public repository with one commit on main.
func (h *host) repository(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("conform-%d", time.Now().UnixNano())
	_, _, err := h.admin.CreateRepo(sdk.CreateRepoOption{Name: name, AutoInit: true, DefaultBranch: "main"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.admin.DeleteRepo(h.user, name) })
	return name
}

func (h *host) open(t *testing.T, path, token string) providers.Forge {
	t.Helper()
	f, err := gitea.OpenPaged(pageSize)(t.Context(), providers.Config{URL: h.url + "/" + path + ".git", Token: token, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (h *host) world(t *testing.T) providerstest.World {
	repository := h.repository(t)
	path := h.user + "/" + repository
	base, _, err := h.admin.GetRepoBranch(h.user, repository, "main")
	if err != nil {
		t.Fatal(err)
	}
	eve, _, err := h.eve.GetMyUserInfo()
	if err != nil {
		t.Fatal(err)
	}
	w := providerstest.World{
		Forge: h.open(t, path, h.token), Login: h.user, Commit: base.Commit.ID, Page: pageSize,
		Stranger: h.open(t, path, h.eveToken), Refused: h.open(t, path, strings.Repeat("0", 40)),
		Absent: h.open(t, h.user+"/not-there", h.token),
	}
	files := 0
	// write adds a file to the branch; from names the branch to start from when it is new.
	write := func(t *testing.T, client *sdk.Client, owner, from, branch string) string {
		t.Helper()
		files++
		options := sdk.FileOptions{Message: "Change", BranchName: from}
		if from != branch {
			options.NewBranchName = branch
		}
		answer, _, err := client.CreateFile(owner, repository, fmt.Sprintf("file-%d.txt", files), sdk.CreateFileOptions{FileOptions: options, Content: "aGVsbG8="})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Commit.SHA
	}
	forked := false
	w.Propose = func(t *testing.T, p providerstest.Proposal) providers.PullRequest {
		t.Helper()
		branch, client, owner := fmt.Sprintf("topic-%d", files+1), h.admin, h.user
		head := branch
		if p.Fork {
			if !forked {
				if _, _, err := h.eve.CreateFork(h.user, repository, sdk.CreateForkOption{}); err != nil {
					t.Fatal(err)
				}
				forked = true
			}
			client, owner, head = h.eve, eve.UserName, eve.UserName+":"+branch
		}
		sha := write(t, client, owner, "main", branch)
		title := p.Title
		if p.Draft {
			title = "WIP: " + title
		}
		pr, _, err := client.CreatePullRequest(h.user, repository, sdk.CreatePullRequestOption{Head: head, Base: "main", Title: title})
		if err != nil {
			t.Fatal(err)
		}
		return providers.PullRequest{Number: pr.Index, URL: pr.HTMLURL, Title: title, Author: cmp.Or(owner, h.user), Head: sha, Base: base.Commit.ID,
			TargetBranch: "main", SourceBranch: branch, Fork: p.Fork, Draft: p.Draft}
	}
	w.Push = func(t *testing.T, pr providers.PullRequest) string {
		t.Helper()
		sha := write(t, h.admin, h.user, pr.SourceBranch, pr.SourceBranch)
		// Gitea moves refs/pull/N/head in the background.
		deadline := time.Now().Add(20 * time.Second)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ; ; <-tick.C {
			got, _, err := h.admin.GetPullRequest(h.user, repository, pr.Number)
			if err != nil {
				t.Fatal(err)
			}
			ref, _, err := h.admin.GetRepoRefs(h.user, repository, fmt.Sprintf("pull/%d/head", pr.Number))
			if err == nil && got.Head.Sha == sha && len(ref) == 1 && ref[0].Object.SHA == sha {
				return sha
			}
			if time.Now().After(deadline) {
				t.Fatalf("pull request %d did not move to %s", pr.Number, sha)
			}
		}
	}
	w.Close = func(t *testing.T, pr providers.PullRequest) {
		t.Helper()
		closed := sdk.StateClosed
		if _, _, err := h.admin.EditPullRequest(h.user, repository, pr.Number, sdk.EditPullRequestOption{State: &closed}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// The scopes that Open's comment and the remedies name, and the permission to write, are enough.
func TestTheNamedScopesSuffice(t *testing.T) {
	h := newHost(t)
	w := h.world(t)
	eve, _, err := h.eve.GetMyUserInfo()
	if err != nil {
		t.Fatal(err)
	}
	pr := w.Propose(t, providerstest.Proposal{Title: "Scoped"})
	path := strings.TrimPrefix(strings.Split(pr.URL, "/pulls/")[0], h.url+"/")
	f := h.open(t, path, h.eveToken)
	status := providers.Status{Context: "assay/staging", State: providers.Success}
	if err := f.Statuses.Set(t.Context(), pr.Head, status); fault.ReasonOf(err) != fault.AuthenticationFailed {
		t.Errorf("a stranger sets a status: %v", err)
	}
	write := sdk.AccessModeWrite
	if _, err := h.admin.AddCollaborator(h.user, strings.TrimPrefix(path, h.user+"/"), eve.UserName, sdk.AddCollaboratorOption{Permission: &write}); err != nil {
		t.Fatal(err)
	}
	if err := f.Statuses.Set(t.Context(), pr.Head, status); err != nil {
		t.Error(err)
	}
	if all, err := f.Statuses.List(t.Context(), pr.Head); err != nil || len(all) != 1 || all[0] != status {
		t.Errorf("statuses %v, %v", all, err)
	}
	if open, err := f.PullRequests.Open(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("open %v, %v", open, err)
	}
	if _, err := f.Comments.Create(t.Context(), pr.Number, "<!-- assay --> hello"); err != nil {
		t.Error(err)
	}
	found, err := f.Comments.Find(t.Context(), pr.Number, "<!-- assay -->")
	if err != nil || found == nil || found.Author != eve.UserName {
		t.Fatalf("found %v, %v", found, err)
	}
	if err := f.Comments.Edit(t.Context(), pr.Number, *found); err != nil {
		t.Error(err)
	}
}
