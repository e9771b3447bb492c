package githubapp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

const (
	// maxAnswer is the most that is read of one answer: a hundred installations are some
	// 300 KiB.
	maxAnswer = 4 << 20
	perPage   = 100
	maxPages  = 20
)

// api is GitHub for one exchange.
type api struct {
	app    App
	base   *url.URL
	jot    string
	agent  string
	client *http.Client
}

func (t *Tokens) open(app App, jot string) (*api, error) {
	base, err := app.base()
	if err != nil {
		return nil, err
	}
	if t.options.CheckHost != nil {
		if err := t.options.CheckHost(base.Hostname()); err != nil {
			return nil, fault.At(err, fault.Place{Field: "githubAppBaseURL"})
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if app.Proxy != nil {
		transport.Proxy = http.ProxyURL(app.Proxy)
	}
	if t.options.Dial != nil {
		transport.DialContext = t.options.Dial
	}
	if len(app.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(app.CA) {
			return nil, invalid("ca.crt", "store certificates in PEM", "the CA holds no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &api{app: app, base: base, jot: jot, agent: t.options.UserAgent, client: &http.Client{
		Transport: transport,
		// The App's token goes nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}}, nil
}

// close gives the connections back: the next exchange is an hour away.
func (a *api) close() { a.client.CloseIdleConnections() }

// installationOf finds the installation on an account.
func (a *api) installationOf(ctx context.Context, owner string) (uint64, error) {
	for page := 1; page <= maxPages; page++ {
		var installations []struct {
			ID      uint64
			Account struct{ Login, Slug string }
		}
		query := fmt.Sprintf("?per_page=%d&page=%d", perPage, page)
		if err := a.do(ctx, http.MethodGet, "/app/installations"+query, &installations); err != nil {
			return 0, err
		}
		for _, i := range installations {
			if strings.EqualFold(i.Account.Login, owner) || strings.EqualFold(i.Account.Slug, owner) {
				return i.ID, nil
			}
		}
		if len(installations) < perPage {
			break
		}
	}
	return 0, fault.New(fault.AuthenticationFailed, fault.Place{Field: "githubAppInstallationOwner"},
		"install the App there, or correct the key", "the GitHub App is not installed on %q", owner)
}

// token asks for one.
func (a *api) token(ctx context.Context, installation uint64) (token, error) {
	var answer struct {
		Token     string
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := a.do(ctx, http.MethodPost, fmt.Sprintf("/app/installations/%d/access_tokens", installation), &answer); err != nil {
		return token{}, err
	}
	if answer.Token == "" || answer.ExpiresAt.IsZero() || strings.ContainsFunc(answer.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return token{}, fault.New(fault.HostFailed, fault.Place{}, "", "%q does not answer like GitHub", a.base.Host)
	}
	return token{text: answer.Token, ends: answer.ExpiresAt}, nil
}

// do sends a request as the App and reads the answer.
func (a *api) do(ctx context.Context, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, a.base.String()+path, nil)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+a.jot)
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	request.Header.Set("User-Agent", a.agent)
	response, err := a.client.Do(request)
	if err != nil {
		return a.classify(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read from
	if response.StatusCode/100 != 2 {
		return a.classifyStatus(response)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return a.classify(ctx, err)
	case len(body) > maxAnswer:
		return fault.New(fault.LimitExceeded, fault.Place{}, "", "an answer of %q is larger than %d MiB", a.base.Host, maxAnswer>>20)
	case json.Unmarshal(body, into) != nil:
		// The parser's text is not shown: it may repeat what it was given.
		return fault.New(fault.HostFailed, fault.Place{}, "", "%q does not answer like GitHub", a.base.Host)
	}
	return nil
}

var errRedirect = errors.New("redirect")
