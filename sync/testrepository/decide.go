package testrepository

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

const headsPrefix = "refs/heads/"

// decision is what a poll calls for.
type decision struct {
	// Runs to create, each a no-op when it exists.
	Runs []v1alpha1.TestRunSpec
	// Closed are the pull requests that are not open any more.
	Closed []int64
	// DefaultBranch, DefaultCommit, Heads, Tag and PullRequests are the status to record once the
	// runs exist.
	DefaultBranch, DefaultCommit string
	Heads                        []v1alpha1.Head
	Tag                          *v1alpha1.TagHead
	PullRequests                 []v1alpha1.PullRequestHead
}

// openPulls are the open pull requests, as far as they are known. There are none where the forge has
// no pull requests, or none are wanted.
type openPulls struct {
	known bool
	open  []providers.PullRequest
}

// decide compares what the host has with what the repository's status remembers. Pull requests of
// which nothing is known stay as they were.
func decide(repo *v1alpha1.TestRepository, refs git.Refs, pulls openPulls) decision {
	d := decision{DefaultBranch: strings.TrimPrefix(refs.Default, headsPrefix), DefaultCommit: refs.Hashes[refs.Default]}
	for _, branch := range watchedBranches(repo, refs) {
		d.head(repo, branch, refs.Hashes[headsPrefix+branch])
	}
	if tag := followedTag(repo, refs); tag != "" {
		d.tag(repo, tag, refs.Hashes[tagsPrefix+tag])
	}
	if !pulls.known {
		d.PullRequests = repo.Status.PullRequests
		return d
	}
	for _, pull := range pulls.open {
		d.pull(repo, pull)
	}
	for _, known := range repo.Status.PullRequests {
		if !slices.ContainsFunc(d.PullRequests, func(h v1alpha1.PullRequestHead) bool { return h.Number == known.Number }) {
			d.Closed = append(d.Closed, known.Number)
		}
	}
	return d
}

func watchedBranches(repo *v1alpha1.TestRepository, refs git.Refs) []string {
	if len(repo.Spec.Branches) == 0 {
		if _, ok := refs.Hashes[refs.Default]; !ok {
			return nil
		}
		return []string{strings.TrimPrefix(refs.Default, headsPrefix)}
	}
	var watched []string
	for ref := range refs.Hashes {
		branch, ok := strings.CutPrefix(ref, headsPrefix)
		if ok && slices.ContainsFunc(repo.Spec.Branches, func(glob string) bool { return doublestar.MatchUnvalidated(glob, branch) }) {
			watched = append(watched, branch)
		}
	}
	slices.Sort(watched)
	return watched
}

// head asks for a run in every environment that has none for the branch's commit. The base
// is the commit that the branch moved from, so that the runs of one move, and those of an
// environment that is added later, compare with what was tested before.
func (d *decision) head(repo *v1alpha1.TestRepository, branch, commit string) {
	before := v1alpha1.Head{Branch: branch}
	for _, h := range repo.Status.Heads {
		if h.Branch == branch {
			before = h
		}
	}
	done, base := before.Environments, ""
	if before.Commit != commit {
		done, base = nil, before.Commit
	}
	for _, environment := range missing(repo, done) {
		d.Runs = append(d.Runs, v1alpha1.TestRunSpec{
			RepositoryRef: v1alpha1.LocalReference{Name: repo.Name},
			Environment:   environment,
			Commit:        commit,
			Base:          base,
			Branch:        branch,
			Cause:         v1alpha1.Cause{Type: v1alpha1.CausePush},
		})
	}
	d.Heads = append(d.Heads, v1alpha1.Head{Branch: branch, Commit: commit, Environments: environments(repo)})
}

func (d *decision) pull(repo *v1alpha1.TestRepository, pull providers.PullRequest) {
	head := v1alpha1.PullRequestHead{Number: pull.Number, Commit: pull.Head, Skipped: skipReason(repo, pull)}
	if head.Skipped == "" {
		for _, environment := range unrun(repo, pull) {
			d.Runs = append(d.Runs, v1alpha1.TestRunSpec{
				RepositoryRef: v1alpha1.LocalReference{Name: repo.Name},
				Environment:   environment,
				Commit:        pull.Head,
				Base:          pull.Base,
				Branch:        pull.TargetBranch,
				Cause: v1alpha1.Cause{
					Type:        v1alpha1.CausePullRequest,
					By:          pull.Author,
					PullRequest: &v1alpha1.PullRequestRef{Number: pull.Number, URL: pull.URL},
				},
			})
		}
		head.Environments = environments(repo)
	}
	d.PullRequests = append(d.PullRequests, head)
}

// unrun gives the environments that have no run for the head of a pull request.
func unrun(repo *v1alpha1.TestRepository, pull providers.PullRequest) []string {
	var done []string
	for _, h := range repo.Status.PullRequests {
		if h.Number == pull.Number && h.Commit == pull.Head {
			done = h.Environments
		}
	}
	return missing(repo, done)
}

// skipReason says why a pull request is not tested; empty when it is. The code of a fork
// would run inside the cluster before anyone with write permission has seen it.
func skipReason(repo *v1alpha1.TestRepository, pull providers.PullRequest) string {
	switch {
	case pull.Fork:
		return "its head is in a fork"
	case pull.Draft && !repo.Spec.PullRequests.Drafts:
		return "it is a draft"
	}
	return ""
}

func environments(repo *v1alpha1.TestRepository) []string {
	names := make([]string, 0, len(repo.Spec.Environments))
	for _, e := range repo.Spec.Environments {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

func missing(repo *v1alpha1.TestRepository, done []string) []string {
	return slices.DeleteFunc(environments(repo), func(e string) bool { return slices.Contains(done, e) })
}
