package testrepository

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/githubapp"
	"github.com/assay-dev/assay/sync/githubapp/githubapptest"
)

type data map[string]string

// secretsOf makes Secrets of the namespace team, by name.
func secretsOf(all map[string]data) client.Client {
	b := fake.NewClientBuilder()
	for name, d := range all {
		b.WithObjects(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name}, Data: d.bytes()})
	}
	return b.Build()
}

func (d data) bytes() map[string][]byte {
	all := map[string][]byte{}
	for k, v := range d {
		all[k] = []byte(v)
	}
	return all
}

// using is the repository with both kinds of Secret, as far as there are any.
func using(url string, all map[string]data) *v1alpha1.TestRepository {
	return repository(func(r *v1alpha1.TestRepository) {
		r.Spec.URL = url
		if _, ok := all["git"]; ok {
			r.Spec.SecretRef = &v1alpha1.LocalReference{Name: "git"}
		}
		if _, ok := all["proxy"]; ok {
			r.Spec.ProxySecretRef = &v1alpha1.LocalReference{Name: "proxy"}
		}
	})
}

func TestSecretsBecomeCredentials(t *testing.T) {
	const https, ssh = "https://git.example/team/shop", "ssh://git@git.example/team/shop"
	for name, c := range map[string]struct {
		url     string
		secrets map[string]data
		auth    git.Auth
		proxy   string
		token   string // for the forge
	}{
		"none":           {url: https},
		"basic":          {https, map[string]data{"git": {"username": "ada", "password": "s"}}, git.Auth{Username: "ada", Password: "s"}, "", "s"},
		"bearer":         {https, map[string]data{"git": {"bearerToken": "b"}}, git.Auth{BearerToken: "b"}, "", "b"},
		"a token beside": {https, map[string]data{"git": {"username": "ada", "password": "s", "apiToken": "t"}}, git.Auth{Username: "ada", Password: "s"}, "", "t"},
		"TLS": {https, map[string]data{"git": {"ca.crt": "ca", "tls.crt": "crt", "tls.key": "key"}},
			git.Auth{CA: []byte("ca"), ClientCert: []byte("crt"), ClientKey: []byte("key")}, "", ""},
		"an identity": {ssh, map[string]data{"git": {"identity": "i", "known_hosts": "k", "apiToken": "t"}},
			git.Auth{Identity: []byte("i"), KnownHosts: []byte("k")}, "", "t"},
		"the passphrase of an identity is not for the forge": {ssh, map[string]data{"git": {"identity": "i", "known_hosts": "k", "password": "s"}},
			git.Auth{Identity: []byte("i"), KnownHosts: []byte("k"), IdentityPassword: []byte("s")}, "", ""},
		"a proxy": {https, map[string]data{"proxy": {"address": "http://proxy.example:3128"}}, git.Auth{}, "http://proxy.example:3128", ""},
		"a proxy with a credential": {https, map[string]data{"proxy": {"address": "socks5://proxy.example:1080", "username": "ada", "password": "s@"}},
			git.Auth{}, "socks5://ada:s%40@proxy.example:1080", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var config providers.Config
			open := map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderGitea: func(_ context.Context, c providers.Config) (providers.Forge, error) {
				config = c
				return providers.Forge{}, nil
			}}
			access := NewAccess(secretsOf(c.secrets), open, githubapp.New(githubapp.Options{}))
			repo := using(c.url, c.secrets)
			repo.Spec.Provider = v1alpha1.ProviderGitea
			at, err := access.Endpoint(t.Context(), repo)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.auth, at.Auth); diff != "" {
				t.Error(diff)
			}
			if _, err := access.Forge(t.Context(), repo); err != nil {
				t.Fatal(err)
			}
			if config.Token != c.token {
				t.Errorf("the forge gets the token %q, want %q", config.Token, c.token)
			}
			for _, proxy := range []*url.URL{at.Proxy, config.Proxy} {
				got := ""
				if proxy != nil {
					got = proxy.String()
				}
				if got != c.proxy {
					t.Errorf("the proxy is %q, want %q", got, c.proxy)
				}
			}
			if config.Dial == nil {
				t.Error("the forge is dialled without the check of addresses")
			}
		})
	}
}

func TestSecretsThatCannotBeUsed(t *testing.T) {
	const https = "https://git.example/team/shop"
	app := data{"githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": "hunter2"}
	with := func(d data, more data) data {
		all := data{}
		for _, from := range []data{d, more} {
			for k, v := range from {
				all[k] = v
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		secrets map[string]data
		text    string
	}{
		"a bearer token and a password":    {map[string]data{"git": {"bearerToken": "b", "password": "s"}}, "keep one of them"},
		"an App and a password":            {map[string]data{"git": with(app, data{"password": "hunter2"})}, "keep one of them"},
		"an App and a bearer token":        {map[string]data{"git": with(app, data{"bearerToken": "hunter2"})}, "keep one of them"},
		"an App with two IDs":              {map[string]data{"git": with(app, data{"githubAppClientID": "Iv1"})}, "keep one of them"},
		"an App with two installations":    {map[string]data{"git": with(app, data{"githubAppInstallationOwner": "o"})}, "keep one of them"},
		"an App without a key":             {map[string]data{"git": {"githubAppID": "1"}}, "githubAppPrivateKey"},
		"an App with a broken key":         {map[string]data{"git": app}, "githubAppPrivateKey"},
		"a user without a password":        {map[string]data{"git": {"username": "ada", "token": "hunter2"}}, "the Secret has username but no password (it has: token, username)"},
		"no key that counts":               {map[string]data{"git": {"token": "hunter2", "empty": ""}}, "the Secret has none of the keys that count (it has: token)"},
		"a password that is empty":         {map[string]data{"git": {"password": ""}}, "it has: nothing"},
		"a proxy without an address":       {map[string]data{"proxy": {"username": "ada"}}, "no address"},
		"a proxy of another kind":          {map[string]data{"proxy": {"address": "ftp://ada:hunter2@proxy.example"}}, `"ftp"`},
		"a proxy's address that is no URL": {map[string]data{"proxy": {"address": "http://ada:hunter2@proxy.example:port"}}, "no address"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewAccess(secretsOf(c.secrets), nil, githubapp.New(githubapp.Options{})).Endpoint(t.Context(), using(https, c.secrets))
			if fault.ReasonOf(err) != fault.SecretInvalid || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
	missing := using(https, nil)
	missing.Spec.ProxySecretRef = &v1alpha1.LocalReference{Name: "gone"}
	_, err := NewAccess(secretsOf(nil), nil, nil).Endpoint(t.Context(), missing)
	if fault.ReasonOf(err) != fault.SecretInvalid || !strings.Contains(err.Error(), "spec.proxySecretRef.name") {
		t.Errorf("got %v", err)
	}
}

// forbidden is an API server that lets nobody read.
type forbidden struct{ client.Reader }

func (forbidden) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, key.Name, errors.New("no"))
}

func TestARightThatIsMissingIsSaidWithItsCommand(t *testing.T) {
	access := NewAccess(forbidden{}, nil, nil)
	access.Grantee = "--serviceaccount=ours:assay-controller"
	_, err := access.Endpoint(t.Context(), using("https://git.example/team/shop", map[string]data{"git": {}}))
	const want = `the controller may not read the Secret "team/git" (kubectl create rolebinding assay -n team --clusterrole=assay-repository --serviceaccount=ours:assay-controller)`
	if fault.ReasonOf(err) != fault.SecretInvalid || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

// counting is a reader that counts.
type counting struct {
	client.Reader
	gets atomic.Int32
}

func (c *counting) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	c.gets.Add(1)
	return c.Reader.Get(ctx, key, o, options...)
}

// TestAPollReadsSecretsOnce: with a thousand repositories these are most of what the API server
// is asked for.
func TestAPollReadsSecretsOnce(t *testing.T) {
	all := map[string]data{"git": {"username": "robin", "password": "p"}, "proxy": {"address": "http://proxy.example:3128"}}
	reader := &counting{Reader: secretsOf(all)}
	var config providers.Config
	access := NewAccess(reader, map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderPlain: func(_ context.Context, c providers.Config) (providers.Forge, error) {
		config = c
		return providers.Forge{}, nil
	}}, nil)
	repo := using("https://git.example/shop", all)
	repo.Spec.Provider = v1alpha1.ProviderPlain
	at, _, err := access.Open(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if at.Auth.Password != "p" || config.Token != "p" || at.Proxy == nil || config.Proxy == nil {
		t.Errorf("the endpoint is %+v, the forge's %+v", at, config)
	}
	if n := reader.gets.Load(); n != 2 {
		t.Errorf("two Secrets were read %d times", n)
	}
}

func TestForgesAtLocalAddressesAreRefused(t *testing.T) {
	open := map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderGitea: func(context.Context, providers.Config) (providers.Forge, error) {
		return providers.Forge{}, errors.New("opened")
	}}
	for _, apiURL := range []string{"http://169.254.169.254/latest", "http://127.0.0.1:9440", "https://[::1]", "https://localhost:9090"} {
		repo := using("https://git.example/team/shop", nil)
		repo.Spec.Provider, repo.Spec.APIURL = v1alpha1.ProviderGitea, apiURL
		_, err := NewAccess(secretsOf(nil), open, nil).Forge(t.Context(), repo)
		if fault.ReasonOf(err) != fault.HostNotTrusted || !strings.Contains(err.Error(), "spec.apiURL") {
			t.Errorf("%s: got %v", apiURL, err)
		}
	}
}

// A GitHub App's token reads a repository over Git's own http-backend, through a proxy, and is
// renewed when it ends, or when it is refused before that.
func TestGitHubAppsReadRepositories(t *testing.T) {
	github := githubapptest.New(t)
	github.Installations[7] = "team"
	var asked atomic.Int32
	host := newHost(t, func(user, password string) bool {
		asked.Add(1)
		return user == "x-access-token" && github.Accepts(password)
	})
	proxy, through := connectProxy(t)
	all := map[string]data{
		"git": {
			"githubAppID": githubapptest.AppID, "githubAppInstallationID": "7", "githubAppPrivateKey": string(github.PrivateKey()),
			"githubAppBaseURL": github.URL, "ca.crt": string(github.CA()), // httptest has one certificate for all
		},
		"proxy": {"address": proxy},
	}
	repo := using(host.URL+"/repo/.git", all)
	access := NewAccess(secretsOf(all), nil, githubapp.New(githubapp.Options{Now: github.Now}))
	remote := git.New(git.Options{Reach: loopback(t)})
	cache := git.NewCache(remote, 1<<20)
	poll := func() error {
		at, err := access.Endpoint(t.Context(), repo)
		if err != nil {
			return err
		}
		refs, err := remote.Refs(t.Context(), at)
		if err == nil && refs.Hashes["refs/heads/main"] != host.head {
			t.Errorf("got %+v", refs)
		}
		return err
	}
	read := func() {
		t.Helper()
		at, err := access.Endpoint(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cache.Tree(t.Context(), at, host.head, "tests"); err != nil {
			t.Error(err)
		}
	}
	if err := poll(); err != nil {
		t.Fatal(err)
	}
	read()
	github.Pass(61 * time.Minute)
	if err := poll(); err != nil {
		t.Error(err)
	}
	// What was read with one token is known to whoever has the next.
	before := asked.Load()
	read()
	if asked.Load() != before {
		t.Error("a commit was read again because the token was renewed")
	}
	github.Revoke()
	if err := poll(); fault.ReasonOf(err) != fault.AuthenticationFailed {
		t.Errorf("got %v", err)
	}
	access.Forget(t.Context(), repo)
	if err := poll(); err != nil {
		t.Error(err)
	}
	var exchanges int
	for _, request := range github.Requests() {
		if strings.HasPrefix(request, "POST") {
			exchanges++
		}
	}
	if exchanges != 3 {
		t.Errorf("%d tokens were asked for, want 3", exchanges)
	}
	for _, target := range []string{github.Listener.Addr().String(), host.Listener.Addr().String()} {
		if !slices.Contains(through(), target) {
			t.Errorf("%s was not reached through the proxy", target)
		}
	}
}

// host serves a repository with one commit to whom it lets in.
type host struct {
	*httptest.Server
	t    *testing.T
	dir  string
	head string
}

func newHost(t *testing.T, letIn func(user, password string) bool) *host {
	t.Helper()
	root := t.TempDir()
	h := &host{t: t, dir: filepath.Join(root, "repo")}
	if err := os.MkdirAll(filepath.Join(h.dir, "tests"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.git("", "init", "-q", "-b", "main")
	if err := os.WriteFile(filepath.Join(h.dir, "tests", "a"), []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.git("", "add", "-A")
	h.git("", "commit", "-q", "-m", "change")
	h.head = h.git("", "rev-parse", "HEAD")
	backend := &cgi.Handler{
		Path: filepath.Join(h.git("", "--exec-path"), "git-http-backend"), Logger: log.New(io.Discard, "", 0), Stderr: io.Discard,
		Env: append(gitEnv(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1"),
	}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); !letIn(user, password) {
			http.Error(w, "who is there?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func gitEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org"}
}

// git runs git in the repository with something on its standard input, and gives what it says.
func (h *host) git(input string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = h.dir, gitEnv(), strings.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func (h *host) ca() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}))
}

// connectProxy opens tunnels and says to where.
func connectProxy(t *testing.T) (address string, through func() []string) {
	t.Helper()
	var mu sync.Mutex
	var targets []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there, err := net.Dial("tcp", r.Host)
		if err != nil || r.Method != http.MethodConnect {
			http.Error(w, "no way", http.StatusBadGateway)
			return
		}
		mu.Lock()
		targets = append(targets, r.Host)
		mu.Unlock()
		w.WriteHeader(http.StatusOK)
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			_ = there.Close()
			return
		}
		go func() { _, _ = io.Copy(there, buffered); _ = there.Close() }()
		_, _ = io.Copy(here, there)
		_ = here.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(targets)
	}
}
