package status

import (
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
)

// ComposeInput is what there is to speak about.
type ComposeInput struct {
	// Repository that the commit belongs to. Required.
	Repository *v1alpha1.TestRepository
	// Commit is the full hash that the statuses are for. Required.
	Commit string
	// PullRequest is the number of the pull request whose comment is asked for; 0: none.
	PullRequest int64
	// Runs of the commit, of every cause, in any order. Runs of other commits or
	// repositories are ignored.
	Runs []v1alpha1.TestRun
	// Limits of the forge.
	Limits providers.Limits
	// RunsURL is the root of the pages about runs; a run's is RunsURL/namespace/name.
	// Empty: there are none, and nothing is linked.
	RunsURL string
}

// Statement is what should stand on the forge.
type Statement struct {
	// Statuses of the commit, sorted by context. Other contexts are nobody's business.
	Statuses []providers.Status
	// Comment is the body of the pull request's comment, with Marker in its first line.
	// Empty: nothing is to be said, and a comment that exists stays as it is.
	Comment string
	// CommentCreate says that the comment is to be created when there is none; without it
	// only one that exists is edited.
	CommentCreate bool
	// Marker finds the comment again. It names the TestRepository, so that two that watch
	// the same Git repository do not edit each other's comment.
	Marker string
}
