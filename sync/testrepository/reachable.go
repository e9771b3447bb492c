package testrepository

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

// maxTips is how many heads are gone back from, the default branch first: each may have a history of its own.
const maxTips = 100

// History knows where commits belong. sync/git's Client satisfies it.
type History interface {
	Refs
	// Reaches says whether one of the tips is the commit or descends from it; known is false
	// when that cannot be found out.
	Reaches(ctx context.Context, at git.Endpoint, commit string, tips ...string) (reached, known bool, err error)
}

// Reachable is nil for a commit that may be tested for whoever asks for it: one of a watched branch's history or of a
// tag's that counts, or of an open pull request that runs. A host gives out more than what was pushed there by those
// who may: the heads of forks, and what a force push left behind. The fault is CommitNotReachable; others say that it
// could not be found out. What was found once is remembered, as long as the TestRepository stays as it is.
func (s Source) Reachable(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error {
	if isHead(repo, commit) {
		return nil
	}
	key := fmt.Sprintf("%s %d %s", repo.UID, repo.Generation, commit)
	if _, ok := s.found.Get(key); ok {
		return nil
	}
	err := s.reachable(ctx, repo, commit)
	if err == nil && ctx.Err() == nil {
		s.found.Add(key, true)
	}
	return fault.At(err, fault.Place{Repository: repo.Spec.URL, Commit: commit, Field: "spec.commit"})
}

// isHead says whether the last poll saw the commit as a head that runs.
func isHead(repo *v1alpha1.TestRepository, commit string) bool {
	tag := repo.Status.Tag
	return repo.Status.DefaultCommit == commit && len(repo.Spec.Branches) == 0 || tag != nil && tag.Commit == commit ||
		slices.ContainsFunc(repo.Status.Heads, func(h v1alpha1.Head) bool { return h.Commit == commit }) ||
		slices.ContainsFunc(repo.Status.PullRequests, func(h v1alpha1.PullRequestHead) bool { return h.Commit == commit && h.Skipped == "" })
}

// reachable asks the host and the forge. Where the forge cannot be asked, the branches may be enough.
func (s Source) reachable(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error {
	at, forge, err := s.Access.Open(ctx, repo)
	if err != nil {
		return err
	}
	refs, err := s.History.Refs(ctx, at, wantedRefs(repo)...)
	if err != nil {
		return err
	}
	tips := watchedTips(repo, refs)
	pulls, forgeErr := runningPulls(ctx, repo, forge)
	tips = append(tips, pulls...)
	if slices.Contains(tips, commit) {
		return nil
	}
	reached, known, err := s.History.Reaches(ctx, at, commit, tips[:min(len(tips), maxTips)]...)
	switch {
	case err != nil:
		return err
	case reached:
		return nil
	case forgeErr != nil:
		return forgeErr
	case !known || len(tips) > maxTips:
		return fault.New(fault.CommitNotReachable, fault.Place{}, "ask for a newer one, or have a tag of it followed by spec.tags of the TestRepository",
			"the commit is not in the newest part of what is watched of the repository")
	}
	return fault.New(fault.CommitNotReachable, fault.Place{},
		"push it to a branch that spec.branches of the TestRepository watches, or open a pull request for a branch of the repository itself",
		"the commit is of no watched branch or tag, and of no pull request that may run")
}

// watchedTips gives the commits of the branches and tags that count, that of the default branch first, each once.
func watchedTips(repo *v1alpha1.TestRepository, refs git.Refs) []string {
	var tips []string
	add := func(commit string) {
		if !slices.Contains(tips, commit) {
			tips = append(tips, commit)
		}
	}
	branches := watchedBranches(repo, refs)
	if main := strings.TrimPrefix(refs.Default, headsPrefix); slices.Contains(branches, main) {
		add(refs.Hashes[refs.Default])
	}
	for _, branch := range branches {
		add(refs.Hashes[headsPrefix+branch])
	}
	if tag := followedTag(repo, refs); tag != "" {
		add(refs.Hashes[tagsPrefix+tag])
	}
	return tips
}

// runningPulls gives the heads of the open pull requests that run.
func runningPulls(ctx context.Context, repo *v1alpha1.TestRepository, forge providers.Forge) ([]string, error) {
	if forge.PullRequests == nil || repo.Spec.PullRequests.From == v1alpha1.PullRequestsNone {
		return nil, nil
	}
	open, err := forge.PullRequests.Open(ctx)
	var heads []string
	for _, pull := range open {
		if skipReason(repo, pull) == "" {
			heads = append(heads, pull.Head)
		}
	}
	return heads, err
}
