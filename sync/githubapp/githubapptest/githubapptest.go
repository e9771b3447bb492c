// Package githubapptest is GitHub as far as an App needs it to get a token, in memory, for
// tests.
//
// It is written from GitHub's published OpenAPI description of its REST API: the operations
// apps/create-installation-access-token and apps/list-installations with their answers,
// required fields and error statuses; and, for what a JSON Web Token must hold, from the
// authentication page that the description links to. It checks signatures with the App's
// public key, and its tokens end.
package githubapptest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// AppID of the one App that there is.
const AppID = "4711"

// GitHub is the server. Its fields may be changed while nobody asks it anything.
type GitHub struct {
	*httptest.Server
	// Installations are the accounts by the number of the installation on them.
	Installations map[uint64]string
	// Life of a token, an hour as on GitHub.
	Life time.Duration
	// Answer may answer a request itself, which it says by true.
	Answer func(http.ResponseWriter, *http.Request) bool

	key      *rsa.PrivateKey
	mu       sync.Mutex
	now      time.Time
	ends     map[string]time.Time // of tokens
	requests []string
}

// New starts one, whose clock stands still until [GitHub.Pass].
func New(t testing.TB) *GitHub {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	g := &GitHub{Installations: map[uint64]string{}, Life: time.Hour, key: key, now: time.Now().Truncate(time.Second), ends: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app/installations", g.list)
	mux.HandleFunc("POST /app/installations/{installation}/access_tokens", g.create)
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.requests = append(g.requests, r.Method+" "+r.URL.Path)
		g.mu.Unlock()
		if g.Answer == nil || !g.Answer(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	g.Config.ErrorLog = log.New(io.Discard, "", 0)
	g.StartTLS()
	t.Cleanup(g.Close)
	return g
}

// PrivateKey of the App in PEM.
func (g *GitHub) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(g.key)})
}

// CA is what to trust, in PEM.
func (g *GitHub) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})
}

// Now is the server's clock.
func (g *GitHub) Now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

// Pass moves the clock on.
func (g *GitHub) Pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

// Accepts says whether a token is good now.
func (g *GitHub) Accepts(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now.Before(g.ends[token])
}

// Revoke ends every token.
func (g *GitHub) Revoke() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.ends)
}

// Requests gives the method and path of each since it was last asked.
func (g *GitHub) Requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.requests
	g.requests = nil
	return all
}

// app says whether a request is the App's own.
func (g *GitHub) app(r *http.Request) bool {
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(bearer, &claims, func(*jwt.Token) (any, error) { return &g.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(AppID), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(g.Now))
	// The end must be at most ten minutes ahead.
	return ok && err == nil && claims.IssuedAt != nil && !claims.ExpiresAt.After(g.Now().Add(10*time.Minute))
}

func (g *GitHub) list(w http.ResponseWriter, r *http.Request) {
	if !g.app(r) {
		say(w, http.StatusUnauthorized, map[string]any{"message": "A JSON web token could not be decoded"})
		return
	}
	page, each := number(r, "page", 1), min(number(r, "per_page", 30), 100)
	all := []map[string]any{}
	for id := uint64(1); len(all) < len(g.Installations); id++ {
		if owner, ok := g.Installations[id]; ok {
			all = append(all, map[string]any{"id": id, "app_id": 4711, "account": map[string]any{"login": owner, "type": "Organization"}, "suspended_at": nil})
		}
	}
	from := min((page-1)*each, len(all))
	say(w, http.StatusOK, all[from:min(from+each, len(all))])
}

func number(r *http.Request, name string, otherwise int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

func (g *GitHub) create(w http.ResponseWriter, r *http.Request) {
	if !g.app(r) {
		say(w, http.StatusUnauthorized, map[string]any{"message": "A JSON web token could not be decoded"})
		return
	}
	id, err := strconv.ParseUint(r.PathValue("installation"), 10, 64)
	if _, ok := g.Installations[id]; err != nil || !ok {
		say(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
		return
	}
	token := fmt.Sprintf("ghs_%s_%s", AppID, rand.Text())
	g.mu.Lock()
	ends := g.now.Add(g.Life)
	g.ends[token] = ends
	g.mu.Unlock()
	say(w, http.StatusCreated, map[string]any{
		"token": token, "expires_at": ends.UTC().Format(time.RFC3339),
		"permissions": map[string]string{"contents": "read", "statuses": "write"}, "repository_selection": "all",
	})
}

func say(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
