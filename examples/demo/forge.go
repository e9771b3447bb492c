package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"
)

// forge is the shop's repository at Gitea.
type forge struct {
	client *gitea.Client
	user   string
}

func newForge(ctx context.Context, h host) (forge, error) {
	c, err := gitea.NewClient(h.url, gitea.SetContext(ctx), gitea.SetToken(h.token),
		gitea.SetHTTPClient(&http.Client{Timeout: 30 * time.Second}))
	if err != nil {
		return forge{}, fmt.Errorf("the Gitea at %s: %w", h.url, err)
	}
	return forge{c, h.user}, nil
}

// ensureRepository makes the repository unless it is there.
func (f forge) ensureRepository() error {
	_, answer, err := f.client.GetRepo(f.user, repositoryName)
	if err == nil {
		return nil
	}
	if answer == nil || answer.StatusCode != http.StatusNotFound {
		return fmt.Errorf("look for the repository %s/%s: %w", f.user, repositoryName, err)
	}
	_, _, err = f.client.CreateRepo(gitea.CreateRepoOption{
		Name: repositoryName, Description: "A shop that Assay tests", DefaultBranch: "main",
	})
	if err != nil {
		return fmt.Errorf("make the repository %s/%s: %w", f.user, repositoryName, err)
	}
	return nil
}

// requireChecks lets nobody merge into main what Assay has not found good in the environments.
func (f forge) requireChecks(environments []string) error {
	_, answer, err := f.client.GetBranchProtection(f.user, repositoryName, "main")
	if err == nil {
		return nil
	}
	if answer == nil || answer.StatusCode != http.StatusNotFound {
		return fmt.Errorf("look for the protection of main: %w", err)
	}
	var contexts []string
	for _, environment := range environments {
		contexts = append(contexts, "assay/"+environment)
	}
	_, _, err = f.client.CreateBranchProtection(f.user, repositoryName, gitea.CreateBranchProtectionOption{
		RuleName: "main", EnablePush: true, EnableStatusCheck: true, StatusCheckContexts: contexts,
	})
	if err != nil {
		return fmt.Errorf("protect main: %w", err)
	}
	return nil
}

// closePullRequests closes what an earlier demo opened, and says how many it were.
func (f forge) closePullRequests() (int, error) {
	open, _, err := f.client.ListRepoPullRequests(f.user, repositoryName, gitea.ListPullRequestsOptions{State: gitea.StateOpen})
	if err != nil {
		return 0, fmt.Errorf("list pull requests: %w", err)
	}
	closed := gitea.StateClosed
	for _, p := range open {
		if _, _, err := f.client.EditPullRequest(f.user, repositoryName, p.Index, gitea.EditPullRequestOption{State: &closed}); err != nil {
			return 0, fmt.Errorf("close pull request %d: %w", p.Index, err)
		}
	}
	return len(open), nil
}

func (f forge) openPullRequest(branch, title, body string) (*gitea.PullRequest, error) {
	p, _, err := f.client.CreatePullRequest(f.user, repositoryName, gitea.CreatePullRequestOption{
		Head: branch, Base: "main", Title: title, Body: body,
	})
	if err != nil {
		return nil, fmt.Errorf("open a pull request for %s: %w", branch, err)
	}
	return p, nil
}

// statuses gives Assay's newest status of the commit for each environment that has one.
func (f forge) statuses(commit string) (map[string]*gitea.Status, error) {
	all, _, err := f.client.ListStatuses(f.user, repositoryName, commit, gitea.ListStatusesOption{
		ListOptions: gitea.ListOptions{PageSize: 50},
	})
	if err != nil {
		return nil, fmt.Errorf("list the statuses of %s: %w", commit, err)
	}
	newest := map[string]*gitea.Status{}
	for _, s := range all {
		environment, ours := strings.CutPrefix(s.Context, "assay/")
		if old := newest[environment]; ours && (old == nil || s.ID > old.ID) {
			newest[environment] = s
		}
	}
	return newest, nil
}

// comments gives Assay's comments on a pull request, of which there should be one.
func (f forge) comments(pullRequest int64) ([]*gitea.Comment, error) {
	all, _, err := f.client.ListIssueComments(f.user, repositoryName, pullRequest, gitea.ListIssueCommentOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the comments of pull request %d: %w", pullRequest, err)
	}
	var ours []*gitea.Comment
	for _, c := range all {
		if strings.Contains(c.Body, "<!-- assay:") {
			ours = append(ours, c)
		}
	}
	return ours, nil
}
