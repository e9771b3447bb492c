// Package gitea is the forge of Gitea and Forgejo, over Gitea's SDK.
//
// Requests flow out to one host and nowhere else: a redirect to another host is refused, so
// the token stays where it belongs. Answers are bounded. Whatever goes wrong is classified
// here, once, by [classify].
package gitea

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

// limits of Gitea: it stores a description as TEXT (64 KiB) and a comment as LONGTEXT; what
// people can still read is less.
var limits = providers.Limits{Description: 255, Comment: 65536}

const (
	defaultTimeout   = time.Minute
	defaultUserAgent = "assay"
	// pageSize is the most that Gitea gives by default (MAX_RESPONSE_ITEMS); a server may be
	// set to less, which the Link header tells.
	pageSize = 50
)

// Open is a providers.Open for Gitea and Forgejo. The token needs the scopes
// write:repository (statuses, pull requests), write:issue (comments) and read:user (to tell
// its own comments from those of others). Keep the forge as long as its configuration stays
// the same: it remembers its user and its connections.
func Open(_ context.Context, config providers.Config) (providers.Forge, error) {
	return open(config, pageSize)
}

func open(config providers.Config, pageSize int) (providers.Forge, error) {
	root, repository, err := config.Locate()
	if err != nil {
		return providers.Forge{}, err
	}
	if strings.Contains(repository.Owner, "/") {
		return providers.Forge{}, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.url"},
			"if the forge is below a path, set spec.apiURL to its root", "%q is not owner/name", repository)
	}
	http, err := newHTTP(config)
	if err != nil {
		return providers.Forge{}, err
	}
	f := &forge{config: config, root: root, repository: repository, http: http, pageSize: pageSize}
	return providers.Forge{PullRequests: pullRequests{f}, Statuses: statuses{f}, Comments: &comments{forge: f}, Limits: limits}, nil
}

// forge is what the roles share.
type forge struct {
	config     providers.Config
	root       *url.URL
	repository providers.Repository
	http       *http.Client
	pageSize   int

	mutex sync.Mutex
	login string // of the token's user, once known
}

// client gives an SDK client for one operation: the SDK keeps the context in the client. It
// costs no request, as the server's version is not asked for.
func (f *forge) client(ctx context.Context) (*sdk.Client, error) {
	userAgent := f.config.UserAgent
	if userAgent == "" {
		userAgent = defaultUserAgent
	}
	return sdk.NewClient(f.root.String(),
		sdk.SetGiteaVersion(""),
		sdk.SetContext(ctx),
		sdk.SetHTTPClient(f.http),
		sdk.SetToken(f.config.Token),
		sdk.SetUserAgent(userAgent),
	)
}

// me gives the login of the token's user, asked once.
func (f *forge) me(ctx context.Context) (string, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.login != "" {
		return f.login, nil
	}
	client, err := f.client(ctx)
	if err != nil {
		return "", err
	}
	user, response, err := client.GetMyUserInfo()
	if err != nil {
		return "", f.classify(ctx, response, err)
	}
	f.login = user.UserName
	return f.login, nil
}

// pages calls page with 1, 2, … until the answer names no next page.
func (f *forge) pages(ctx context.Context, what string, page func(sdk.ListOptions) (*sdk.Response, error)) error {
	const most = 100
	for options := (sdk.ListOptions{Page: 1, PageSize: f.pageSize}); ; {
		response, err := page(options)
		if err != nil {
			return f.classify(ctx, response, err)
		}
		if response.NextPage <= options.Page {
			return nil
		}
		if options.Page = response.NextPage; options.Page > most {
			return fault.New(fault.LimitExceeded, f.place(), "", "more than %d pages of %s", most, what)
		}
	}
}

func (f *forge) place() fault.Place {
	return fault.Place{Repository: f.root.JoinPath(f.repository.Owner, f.repository.Name).String()}
}
