package githubapp

import (
	"context"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/lru"

	"github.com/assay-dev/assay/api/fault"
)

// margin is how long before its end a token is renewed: long enough for an operation that
// begins with it.
const margin = 5 * time.Minute

// Options configures [Tokens]. Its zero value is fit for use.
type Options struct {
	// Dial opens connections, to GitHub or to a proxy. Nil: any that can be opened.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// CheckHost may refuse the host of a base URL. Nil: none is.
	CheckHost func(host string) error
	// UserAgent of requests, "assay" by default.
	UserAgent string
	// Now is the clock, [time.Now] by default.
	Now func() time.Time
}

// Tokens gets and keeps installation tokens. It is safe for concurrent use.
type Tokens struct {
	options Options
	flights singleflight.Group
	kept    *lru.Cache // by App.Principal
}

// New gives tokens with the options.
func New(options Options) *Tokens {
	if options.UserAgent == "" {
		options.UserAgent = "assay"
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Tokens{options: options, kept: lru.New(1024)}
}

type token struct {
	text string
	ends time.Time
}

// Token gives a token of the App's installation that is good for at least five minutes,
// unless GitHub gives out shorter ones. Faults: SecretInvalid, AuthenticationFailed,
// HostNotTrusted, HostUnreachable, HostFailed, RateLimited.
func (t *Tokens) Token(ctx context.Context, app App) (string, error) {
	principal := app.Principal()
	if text, ok := t.look(principal); ok {
		return text, nil
	}
	// The shared exchange is bound by the App's timeout, not by the caller who came first.
	flight := t.flights.DoChan(principal, func() (any, error) {
		if text, ok := t.look(principal); ok {
			return text, nil
		}
		got, err := t.exchange(context.WithoutCancel(ctx), app)
		if err != nil {
			return "", err
		}
		t.kept.Add(principal, got)
		return got.text, nil
	})
	select {
	case result := <-flight:
		return result.Val.(string), result.Err
	case <-ctx.Done():
		return "", fault.New(fault.HostUnreachable, fault.Place{}, "", "asking GitHub for a token was given up: %w", ctx.Err())
	}
}

// Forget drops the token of a principal, such as one that was refused before its time.
func (t *Tokens) Forget(principal string) { t.kept.Remove(principal) }

func (t *Tokens) look(principal string) (string, bool) {
	kept, ok := t.kept.Get(principal)
	if !ok || !t.options.Now().Before(kept.(token).ends.Add(-margin)) {
		return "", false
	}
	return kept.(token).text, true
}

// exchange turns the App's key into a token of its installation.
func (t *Tokens) exchange(ctx context.Context, app App) (token, error) {
	if app.ID == "" {
		return token{}, invalid("githubAppID", "set it to the ID of the App", "the App has no ID")
	}
	jot, err := app.jot(t.options.Now())
	if err != nil {
		return token{}, err
	}
	api, err := t.open(app, jot)
	if err != nil {
		return token{}, err
	}
	defer api.close()
	ctx, cancel := context.WithTimeout(ctx, app.timeout())
	defer cancel()
	installation, err := strconv.ParseUint(app.InstallationID, 10, 63)
	switch {
	case app.InstallationID == "" && app.InstallationOwner == "":
		return token{}, invalid("githubAppInstallationID", "set it, or the key githubAppInstallationOwner", "nothing says which installation of the App it is")
	case app.InstallationID == "":
		installation, err = api.installationOf(ctx, app.InstallationOwner)
		if err != nil {
			return token{}, err
		}
	case err != nil:
		return token{}, invalid("githubAppInstallationID", "write the number that the URL of the installation's page ends in", "the ID of the installation is no number")
	}
	return api.token(ctx, installation)
}

func (a App) timeout() time.Duration {
	if a.Timeout > 0 {
		return a.Timeout
	}
	return time.Minute
}
