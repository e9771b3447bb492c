package providers

import "context"

// PullRequest is an open pull request.
type PullRequest struct {
	// Number within the repository, from 1.
	Number int64
	// URL of its page.
	URL string
	// Title as its author wrote it: hostile text.
	Title string
	// Author is a login.
	Author string
	// Head is the full hash of the commit that is proposed.
	Head string
	// Base is the full hash of the merge base with the target branch; empty when unknown.
	Base string
	// TargetBranch is where it wants to go, without refs/heads/.
	TargetBranch string
	// SourceBranch is where it comes from, without refs/heads/; for a fork, a branch there.
	SourceBranch string
	// Fork says that Head comes from another repository than the one that is opened, or
	// from one that is gone.
	Fork bool
	// Draft says that its author does not ask for a merge yet.
	Draft bool
}

// PullRequests lists pull requests.
type PullRequests interface {
	// Open gives all open pull requests, sorted by number; none is an empty list. It reads
	// only. Faults: those of every role (see the package fault): AuthenticationFailed,
	// RepositoryNotFound, HostNotTrusted, HostUnreachable, HostFailed, RateLimited; and
	// LimitExceeded when there are more than the implementation is willing to hold.
	Open(ctx context.Context) ([]PullRequest, error)
}
