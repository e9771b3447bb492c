package providers

import (
	"context"
	"net"
	"net/url"
	"time"
)

// Open opens the forge of one repository.
//
// It makes no request: a wrong credential shows when a role is first used. Faults:
// InvalidSpec when the configuration does not name a repository or an API. The context is
// for opening only, the roles get their own.
type Open func(ctx context.Context, config Config) (Forge, error)

// Config says which repository on which forge.
type Config struct {
	// URL of the Git repository, without credentials. Required.
	URL string
	// APIURL is the root of the forge, such as https://git.example.org or, below a path,
	// https://example.org/gitea. Empty: scheme and host of URL, which must be http or https.
	APIURL string
	// Token for the API. Empty: anonymous, which can read public repositories at most.
	Token string
	// CA holds PEM certificates that are trusted beside the system's. May be empty.
	CA []byte
	// Proxy to the API: http, https or socks5, with its credential as userinfo. Nil: the one of
	// the environment.
	Proxy *url.URL
	// Dial opens connections, to the API or the proxy. Nil: any that can be opened.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout of one API request. Zero: one minute.
	Timeout time.Duration
	// UserAgent of API requests. Empty: "assay".
	UserAgent string
}

// Forge is what a forge can do for one repository. The roles that are not nil may be used
// by several goroutines at once.
type Forge struct {
	// PullRequests is nil for a forge without pull requests.
	PullRequests PullRequests
	// Statuses is nil for a forge without commit statuses.
	Statuses Statuses
	// Comments is nil for a forge without pull requests, or without comments on them.
	Comments Comments
	// Limits of what the forge stores.
	Limits Limits
}

// Limits is how much a forge stores. Zero: without a limit.
type Limits struct {
	// Description is the most characters (runes) of Status.Description.
	Description int
	// Comment is the most bytes of Comment.Body.
	Comment int
}
