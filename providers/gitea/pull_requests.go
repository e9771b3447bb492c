package gitea

import (
	"cmp"
	"context"
	"slices"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

type pullRequests struct{ *forge }

// Open implements providers.PullRequests. It costs one request for each 50 pull requests.
//
// Gitea denies that there is such a list where a repository is empty, or does without pull
// requests. That it is not empty any more it finds out in the background, after the first push.
func (p pullRequests) Open(ctx context.Context) ([]providers.PullRequest, error) {
	client, err := p.client(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.list(ctx, client)
	if fault.ReasonOf(err) != fault.RepositoryNotFound {
		return all, err
	}
	repository, _, missing := client.GetRepo(p.repository.Owner, p.repository.Name)
	switch {
	case missing != nil:
		return nil, err
	case repository.Empty || !repository.HasPullRequests:
		return []providers.PullRequest{}, nil
	}
	return p.list(ctx, client)
}

func (p pullRequests) list(ctx context.Context, client *sdk.Client) ([]providers.PullRequest, error) {
	byNumber := map[int64]providers.PullRequest{} // pages shift while they are read
	err := p.pages(ctx, "open pull requests", func(options sdk.ListOptions) (*sdk.Response, error) {
		// Oldest first: one that is opened meanwhile does not push others over a page's edge.
		list, response, err := client.ListRepoPullRequests(p.repository.Owner, p.repository.Name,
			sdk.ListPullRequestsOptions{ListOptions: options, State: sdk.StateOpen, Sort: "oldest"})
		for _, pr := range list {
			if pr != nil && pr.Head != nil && pr.Base != nil && pr.Head.Sha != "" {
				byNumber[pr.Index] = pullRequest(pr)
			}
		}
		return response, err
	})
	if err != nil {
		return nil, err
	}
	all := make([]providers.PullRequest, 0, len(byNumber))
	for _, pr := range byNumber {
		all = append(all, pr)
	}
	slices.SortFunc(all, func(a, b providers.PullRequest) int { return cmp.Compare(a.Number, b.Number) })
	return all, nil
}

func pullRequest(pr *sdk.PullRequest) providers.PullRequest {
	out := providers.PullRequest{
		Number:       pr.Index,
		URL:          pr.HTMLURL,
		Title:        pr.Title,
		Head:         pr.Head.Sha,
		Base:         pr.MergeBase,
		TargetBranch: pr.Base.Ref,
		SourceBranch: pr.Head.Name,
		Fork:         foreign(pr),
		Draft:        pr.Draft || workInProgress(pr.Title),
	}
	if pr.Poster != nil {
		out.Author = pr.Poster.UserName
	}
	return out
}

// foreign says whether the head is not a branch of the repository itself. Beside forks that
// is AGit (git push origin HEAD:refs/for/main), which everybody who can read may do: Gitea
// gives the base repository's ID then, but no branch.
func foreign(pr *sdk.PullRequest) bool {
	return pr.Head.RepoID <= 0 || pr.Head.RepoID != pr.Base.RepoID ||
		pr.Head.Name == "" || strings.HasPrefix(pr.Head.Ref, "refs/pull/")
}

// workInProgress knows the default prefixes, for versions without the field draft.
func workInProgress(title string) bool {
	title = strings.ToUpper(title)
	return strings.HasPrefix(title, "WIP:") || strings.HasPrefix(title, "[WIP]")
}
