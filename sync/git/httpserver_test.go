package git_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/sync/git"
)

// host serves a repository over https with Git's own http-backend.
type host struct {
	*httptest.Server
	repository *repository
	// user and password are asked for when set.
	user, password string
	// old knows protocol version 0 only.
	old bool
	// before may answer a request itself, which it says by true.
	before func(http.ResponseWriter, *http.Request) bool

	mu       sync.Mutex
	requests []string // method and path of each
	sent     int      // bytes in bodies
}

func newHost(t testing.TB, r *repository) *host {
	t.Helper()
	h := &host{repository: r}
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Logger: quiet, Stderr: io.Discard,
		Env: append(gitEnv(), "GIT_PROJECT_ROOT="+filepath.Dir(r.dir), "GIT_HTTP_EXPORT_ALL=1"),
	}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.requests = append(h.requests, r.Method+" "+r.URL.Path)
		h.mu.Unlock()
		if h.before != nil && h.before(w, r) {
			return
		}
		if user, password, _ := r.BasicAuth(); user != h.user || password != h.password {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "hunter2 is wrong", http.StatusUnauthorized)
			return
		}
		if h.old {
			r.Header.Del("Git-Protocol")
		}
		backend.ServeHTTP(&counting{w, h}, r)
	}))
	h.Config.ErrorLog = quiet
	h.StartTLS()
	t.Cleanup(h.Close)
	return h
}

// quiet is for what servers say about clients that hang up, as these do on purpose.
var quiet = log.New(io.Discard, "", 0)

type counting struct {
	http.ResponseWriter
	h *host
}

func (c *counting) Write(p []byte) (int, error) {
	c.h.mu.Lock()
	c.h.sent += len(p)
	c.h.mu.Unlock()
	return c.ResponseWriter.Write(p)
}

// endpoint is the repository with what it takes to read it.
func (h *host) endpoint() git.Endpoint {
	return git.Endpoint{
		URL:  h.URL + "/" + filepath.Base(h.repository.dir) + "/.git",
		Auth: git.Auth{CA: h.ca(), Username: h.user, Password: h.password},
	}
}

func (h *host) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
}

// seen gives the requests and the bytes since it was last asked.
func (h *host) seen() (requests []string, sent int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	requests, sent = h.requests, h.sent
	h.requests, h.sent = nil, 0
	return requests, sent
}
