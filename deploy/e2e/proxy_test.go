//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// behindProxy is a host that nobody but the proxy knows, so that nothing can go past it.
const behindProxy = "git.behind-the-proxy.invalid"

// TestE2EProxy reaches Git and the forge's API through a proxy that asks for a password.
func TestE2EProxy(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "proxy", nil)
	proxy := startProxy(t, "ada", "let me through")
	secret := newSecret(t, tenant, "proxy", map[string]string{"address": proxy.URL, "username": "ada", "password": "let me through"})
	repo, main := newRepository(t, "proxy", catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
	_, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
		r.Spec.URL = strings.Replace(r.Spec.URL, w.GiteaURL, "http://"+behindProxy, 1)
		r.Spec.ProxySecretRef = &secret
	})
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")
	second := push(t, repo, "main", map[string]string{"README.md": "again\n"})
	expectStatus(t, repo, second, tenant.Name, "success", "")
	for what, path := range map[string]string{"polls and fetches": "/git-upload-pack", "statuses": "/api/v1/repos/" + repo.Owner + "/" + repo.Name + "/statuses/" + second} {
		if proxy.passed(path) == 0 {
			t.Errorf("no %s came through the proxy", what)
		}
	}
}

// proxy is an HTTP proxy in front of Gitea. It counts what it lets through, by path.
type proxy struct {
	*httptest.Server
	mu       sync.Mutex
	requests map[string]int
}

// startProxy starts one that lets through who knows the password.
func startProxy(t *testing.T, user, password string) *proxy {
	t.Helper()
	gitea, err := url.Parse(w.GiteaURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{requests: map[string]int{}}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(gitea) }}
	credential := (&http.Request{Header: http.Header{}})
	credential.SetBasicAuth(user, password)
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Proxy-Authorization") != credential.Header.Get("Authorization"):
			w.WriteHeader(http.StatusProxyAuthRequired)
		case r.URL.Host != behindProxy:
			w.WriteHeader(http.StatusBadGateway)
		default:
			p.count(r.URL.Path)
			forward.ServeHTTP(w, r)
		}
	}))
	if err := p.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	p.Listener = listen(t)
	p.Start()
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) count(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests[path]++
}

// passed counts the requests whose path ends like this.
func (p *proxy) passed(suffix string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for path, count := range p.requests {
		if strings.HasSuffix(path, suffix) {
			n += count
		}
	}
	return n
}
