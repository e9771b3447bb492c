package providers

import "context"

// Comment is a comment on a pull request.
type Comment struct {
	// ID is the forge's.
	ID int64
	// Body is Markdown, within Limits.Comment.
	Body string
	// Author is a login.
	Author string
}

// Comments finds and writes comments on pull requests.
type Comments interface {
	// Find gives the oldest comment that holds the marker and was written by the user of
	// the credential, nil when there is none: others may copy the marker, and theirs is
	// neither found nor touched. It reads only.
	Find(ctx context.Context, pullRequest int64, marker string) (*Comment, error)
	// Create adds a comment. It is not idempotent: callers Find first and again after a
	// failure. Faults beside the common ones: RefNotFound when the pull request is gone,
	// InvalidSpec for a body beyond the limit or an empty one.
	Create(ctx context.Context, pullRequest int64, body string) (Comment, error)
	// Edit replaces the body of the comment with the ID. It is idempotent. Faults beside
	// the common ones: RefNotFound when the comment is gone, InvalidSpec as for Create.
	Edit(ctx context.Context, pullRequest int64, comment Comment) error
}
