package githubapp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/githubapp"
	"github.com/assay-dev/assay/sync/githubapp/githubapptest"
)

const exchange = "POST /app/installations/7/access_tokens"

func world(t *testing.T) (*githubapptest.GitHub, *githubapp.Tokens, githubapp.App) {
	t.Helper()
	g := githubapptest.New(t)
	g.Installations[7] = "Shop"
	app := githubapp.App{ID: githubapptest.AppID, PrivateKey: g.PrivateKey(), InstallationID: "7", BaseURL: g.URL, CA: g.CA()}
	return g, githubapp.New(githubapp.Options{Now: g.Now}), app
}

func TestATokenIsKeptUntilFiveMinutesBeforeItsEnd(t *testing.T) {
	g, tokens, app := world(t)
	next := func() string {
		t.Helper()
		token, err := tokens.Token(t.Context(), app)
		if err != nil {
			t.Fatal(err)
		}
		if !g.Accepts(token) {
			t.Error("the token is not good")
		}
		return token
	}
	first := next()
	g.Pass(54 * time.Minute)
	if next() != first {
		t.Error("the token was renewed 6 minutes before its end")
	}
	g.Pass(2 * time.Minute)
	second := next()
	if second == first {
		t.Error("the token was not renewed 4 minutes before its end")
	}
	g.Revoke()
	tokens.Forget(app.Principal())
	if third := next(); third == second {
		t.Error("a token that was forgotten came back")
	}
	if diff := cmp.Diff([]string{exchange, exchange, exchange}, g.Requests()); diff != "" {
		t.Error(diff)
	}
}

func TestManyCallersShareOneExchange(t *testing.T) {
	g, tokens, app := world(t)
	arrived, answer := make(chan struct{}, 32), make(chan struct{})
	g.Answer = func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-answer
		return false
	}
	var all sync.WaitGroup
	got := make([]string, 16)
	for i := range got {
		all.Go(func() {
			token, err := tokens.Token(t.Context(), app)
			if err != nil {
				t.Error(err)
			}
			got[i] = token
		})
	}
	<-arrived
	close(answer)
	all.Wait()
	for _, token := range got {
		if token != got[0] {
			t.Error("the callers got different tokens")
		}
	}
	if n := len(g.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestTheInstallationIsFoundByItsOwner(t *testing.T) {
	g, tokens, app := world(t)
	app.InstallationID, app.InstallationOwner = "", "sHOP"
	for i := range 130 {
		g.Installations[uint64(1000+i)] = fmt.Sprint("other", i)
	}
	delete(g.Installations, 7)
	g.Installations[5000] = "shop"
	token, err := tokens.Token(t.Context(), app)
	if err != nil || !g.Accepts(token) {
		t.Fatal(err)
	}
	want := []string{"GET /app/installations", "GET /app/installations", "POST /app/installations/5000/access_tokens"}
	if diff := cmp.Diff(want, g.Requests()); diff != "" {
		t.Error(diff)
	}
	app.InstallationOwner = "nobody"
	_, err = tokens.Token(t.Context(), app)
	wantFault(t, err, fault.AuthenticationFailed, "nobody")
}

func TestInstallationsAndKeysAreKeptApart(t *testing.T) {
	g, tokens, app := world(t)
	g.Installations[8] = "other"
	first, err := tokens.Token(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	other := app
	other.InstallationID = "8"
	if second, err := tokens.Token(t.Context(), other); err != nil || second == first {
		t.Errorf("%v, or two installations share a token", err)
	}
	// Whoever has not the key gets nothing, though a token of the installation is at hand.
	other = app
	other.PrivateKey = githubapptest.New(t).PrivateKey()
	_, err = tokens.Token(t.Context(), other)
	wantFault(t, err, fault.AuthenticationFailed, "githubAppPrivateKey")
}

func TestFaults(t *testing.T) {
	answer := func(code int, header ...string) func(*githubapptest.GitHub, *githubapp.App) {
		return func(g *githubapptest.GitHub, _ *githubapp.App) {
			g.Answer = func(w http.ResponseWriter, r *http.Request) bool {
				for i := 0; i < len(header); i += 2 {
					w.Header().Set(header[i], header[i+1])
				}
				w.WriteHeader(code)
				fmt.Fprintf(w, "you said %s", r.Header.Get("Authorization"))
				return true
			}
		}
	}
	app := func(change func(*githubapp.App)) func(*githubapptest.GitHub, *githubapp.App) {
		return func(_ *githubapptest.GitHub, a *githubapp.App) { change(a) }
	}
	for name, tc := range map[string]struct {
		change func(*githubapptest.GitHub, *githubapp.App)
		reason fault.Reason
		text   string
		after  time.Duration
	}{
		"no ID":                     {app(func(a *githubapp.App) { a.ID = "" }), fault.SecretInvalid, "githubAppID", 0},
		"another App's ID":          {app(func(a *githubapp.App) { a.ID = "1" }), fault.AuthenticationFailed, "githubAppID", 0},
		"no installation":           {app(func(a *githubapp.App) { a.InstallationID = "" }), fault.SecretInvalid, "githubAppInstallationOwner", 0},
		"no such installation":      {app(func(a *githubapp.App) { a.InstallationID = "9" }), fault.AuthenticationFailed, "githubAppInstallationID", 0},
		"a path for a number":       {app(func(a *githubapp.App) { a.InstallationID = "7/../8" }), fault.SecretInvalid, "number", 0},
		"a broken key":              {app(func(a *githubapp.App) { a.PrivateKey = []byte("hunter2") }), fault.SecretInvalid, "githubAppPrivateKey", 0},
		"a key of another kind":     {app(func(a *githubapp.App) { a.PrivateKey = ecKey() }), fault.SecretInvalid, "githubAppPrivateKey", 0},
		"an unknown authority":      {app(func(a *githubapp.App) { a.CA = nil }), fault.HostNotTrusted, "ca.crt", 0},
		"a broken authority":        {app(func(a *githubapp.App) { a.CA = []byte("hunter2") }), fault.SecretInvalid, "PEM", 0},
		"http":                      {app(func(a *githubapp.App) { a.BaseURL = strings.Replace(a.BaseURL, "https", "http", 1) }), fault.SecretInvalid, "https", 0},
		"a URL with a password":     {app(func(a *githubapp.App) { a.BaseURL = "https://a:hunter2@github.example" }), fault.SecretInvalid, "githubAppBaseURL", 0},
		"nobody listens":            {app(func(a *githubapp.App) { a.BaseURL = "https://127.0.0.1:1" }), fault.HostUnreachable, "connection refused", 0},
		"a proxy that is not there": {app(func(a *githubapp.App) { a.Proxy = &url.URL{Scheme: "http", Host: "127.0.0.1:1"} }), fault.HostUnreachable, "proxy", 0},
		"suspended":                 {answer(403), fault.AuthenticationFailed, "suspended", 0},
		"a spent quota":             {answer(403, "Retry-After", "17"), fault.RateLimited, "", 17 * time.Second},
		"too many requests":         {answer(429, "Retry-After", "5"), fault.RateLimited, "", 5 * time.Second},
		"a GitHub that is down":     {answer(503), fault.HostFailed, "503", 0},
		"a redirect":                {answer(307, "Location", "https://thief.example/"), fault.HostNotTrusted, "redirects", 0},
		"something else":            {answer(200), fault.HostFailed, "does not answer like GitHub", 0},
		"a token that is none": {func(g *githubapptest.GitHub, _ *githubapp.App) {
			g.Answer = func(w http.ResponseWriter, _ *http.Request) bool {
				fmt.Fprint(w, `{"token":"a\nb","expires_at":"2999-01-01T00:00:00Z"}`)
				return true
			}
		}, fault.HostFailed, "does not answer like GitHub", 0},
		"an endless answer": {func(g *githubapptest.GitHub, _ *githubapp.App) {
			g.Answer = func(w http.ResponseWriter, _ *http.Request) bool {
				block := []byte(strings.Repeat(" ", 1<<20))
				for range 6 {
					_, _ = w.Write(block)
				}
				return true
			}
		}, fault.LimitExceeded, "4 MiB", 0},
		"no answer in time": {func(g *githubapptest.GitHub, a *githubapp.App) {
			a.Timeout = 50 * time.Millisecond
			g.Answer = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		}, fault.HostUnreachable, "50ms", 0},
	} {
		t.Run(name, func(t *testing.T) {
			g, tokens, a := world(t)
			tc.change(g, &a)
			_, err := tokens.Token(t.Context(), a)
			wantFault(t, err, tc.reason, tc.text)
			if after := fault.RetryAfter(err); after != tc.after {
				t.Errorf("retry after %s, want %s", after, tc.after)
			}
		})
	}
}

func TestTheHostOfABaseURLCanBeRefused(t *testing.T) {
	g, _, app := world(t)
	tokens := githubapp.New(githubapp.Options{Now: g.Now, CheckHost: func(host string) error {
		return fault.New(fault.HostNotTrusted, fault.Place{}, "", "not %q", host)
	}})
	_, err := tokens.Token(t.Context(), app)
	wantFault(t, err, fault.HostNotTrusted, "127.0.0.1")
	if n := len(g.Requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func ecKey() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func wantFault(t *testing.T, err error, reason fault.Reason, text string) {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) || f.Reason != reason || !strings.Contains(err.Error(), text) {
		t.Fatalf("got %v, want %s with %q", err, reason, text)
	}
	for _, secret := range []string{"hunter2", "PRIVATE KEY", "ghs_", "eyJ"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the fault holds %s: %v", secret, err)
		}
	}
}
