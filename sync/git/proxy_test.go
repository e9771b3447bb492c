package git_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestHostsAreReachedThroughProxies(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"tests/a": "1"})
	https, ssh := newHost(t, r), newSSHHost(t, r)
	plain, _ := newConnectProxy(t, false)
	secure, _ := newConnectProxy(t, true) // its certificate is that of the host: httptest has one
	socks := newSOCKSProxy(t)

	for name, tc := range map[string]struct {
		proxy *proxyHost
		e     git.Endpoint
		to    string
	}{
		"https through an http proxy":       {plain, https.endpoint(), https.Listener.Addr().String()},
		"https through an https proxy":      {secure, https.endpoint(), https.Listener.Addr().String()},
		"https through a socks5 proxy":      {socks, https.endpoint(), https.Listener.Addr().String()},
		"ssh through a socks5 proxy":        {socks, ssh.endpoint(), ssh.address},
		"a name only the proxy can resolve": {socks, proxied(ssh), strings.Replace(ssh.address, "127.0.0.1", "git.proxied", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(tc.proxy.seen())
			tc.e.Proxy = tc.proxy.url
			c := git.New(git.Options{Reach: git.Loopback})
			refs, err := c.Refs(t.Context(), tc.e)
			if err != nil || refs.Hashes["refs/heads/main"] != head {
				t.Fatalf("got %+v, %v", refs, err)
			}
			if _, err := c.Tree(t.Context(), tc.e, head, "tests"); err != nil {
				t.Error(err)
			}
			through := tc.proxy.seen()[before:]
			if len(through) == 0 {
				t.Error("nothing went through the proxy")
			}
			for _, target := range through {
				if target != tc.to {
					t.Errorf("the proxy was asked for %q, want %q", target, tc.to)
				}
			}
		})
	}
}

// proxied is the host under a name that no resolver here knows.
func proxied(h *sshHost) git.Endpoint {
	e := h.endpoint()
	address := strings.Replace(h.address, "127.0.0.1", "git.proxied", 1)
	e.URL = strings.Replace(e.URL, h.address, address, 1)
	e.Auth.KnownHosts = []byte(knownhosts.Line([]string{address}, h.key.PublicKey()))
	return e
}

func TestFaultsOfProxies(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	https, ssh := newHost(t, r).endpoint(), newSSHHost(t, r).endpoint()
	connect, _ := newConnectProxy(t, false)
	secure, _ := newConnectProxy(t, true)
	socks := newSOCKSProxy(t)
	wrong := func(p *proxyHost) *url.URL {
		u := *p.url
		u.User = url.UserPassword("robot", "hunter2")
		return &u
	}
	at := func(raw string) *url.URL {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	closed := func() *url.URL {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		return at("http://" + l.Addr().String())
	}()
	closedSOCKS := *closed
	closedSOCKS.Scheme = "socks5"
	untrusting := https
	untrusting.Auth.CA = nil
	nowhere := https
	nowhere.URL = "https://127.0.0.1:1/a/b"

	for name, tc := range map[string]struct {
		e      git.Endpoint
		proxy  *url.URL
		reason fault.Reason
		text   string
	}{
		"a wrong password":                   {https, wrong(connect), fault.AuthenticationFailed, "password"},
		"a wrong password of socks":          {https, wrong(socks), fault.HostUnreachable, "password"},
		"a wrong password of socks, ssh":     {ssh, wrong(socks), fault.HostUnreachable, "password"},
		"a proxy that is not there":          {https, closed, fault.HostUnreachable, "the proxy"},
		"a proxy that is not there, ssh":     {ssh, &closedSOCKS, fault.HostUnreachable, "the proxy"},
		"a proxy that is not trusted":        {untrusting, secure.url, fault.HostNotTrusted, "the proxy"},
		"a host that the proxy cannot reach": {nowhere, connect.url, fault.HostUnreachable, "the proxy does not connect"},
		"ssh through an http proxy":          {ssh, connect.url, fault.InvalidSpec, "socks5"},
		"a link-local proxy":                 {https, at("http://169.254.169.254:80"), fault.HostNotTrusted, "link-local"},
		"a link-local proxy, ssh":            {ssh, at("socks5://[fe80::1]:80"), fault.HostNotTrusted, "link-local"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.e.Proxy, tc.e.Timeout = tc.proxy, 20*time.Second
			_, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), tc.e)
			f := wantFault(t, err, tc.reason)
			if text := fmt.Sprint(f); !strings.Contains(text, tc.text) || strings.Contains(text, "hunter2") || strings.Contains(text, "swordfish") {
				t.Errorf("got %q", text)
			}
		})
	}
}

// A proxy would connect where the address check of the dialer does not see it.
func TestLocalAddressesAreRefusedBehindAProxyToo(t *testing.T) {
	connect, _ := newConnectProxy(t, false)
	socks := newSOCKSProxy(t)
	for _, host := range []string{"169.254.169.254", "169.254.169.254.", "[fe80::1]", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "0.0.0.0", "[::]"} {
		for _, proxy := range []*proxyHost{connect, socks} {
			_, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), git.Endpoint{URL: "https://" + host + "/a/b", Proxy: proxy.url, Timeout: 10 * time.Second})
			wantFault(t, err, fault.HostNotTrusted)
			if seen := proxy.seen(); len(seen) > 0 {
				t.Errorf("%s: the proxy was asked for %q", host, seen)
			}
		}
	}
}

// What was listed through one proxy is not handed to whoever names another.
func TestProxiesAreKeptApart(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	h := newHost(t, r)
	proxy := newSOCKSProxy(t)
	c := git.New(git.Options{Reach: git.Loopback})
	e := h.endpoint()
	if _, err := c.Refs(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	e.Proxy = proxy.url
	if _, err := c.Refs(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	e.Proxy = &url.URL{Scheme: "socks5", Host: "127.0.0.1:1"}
	_, err := c.Refs(t.Context(), e)
	wantFault(t, err, fault.HostUnreachable)
	if n := len(proxy.seen()); n != 1 {
		t.Errorf("the proxy opened %d tunnels, want 1", n)
	}
}

// TestEveryKindOfCredentialLogsIn is for those that no other test uses.
func TestEveryKindOfCredentialLogsIn(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"a": "1"})
	bearer := newHost(t, r)
	bearer.before = func(w http.ResponseWriter, request *http.Request) bool {
		if request.Header.Get("Authorization") == "Bearer swordfish" {
			return false
		}
		http.Error(w, "who is there?", http.StatusUnauthorized)
		return true
	}
	token := bearer.endpoint()
	token.Auth.BearerToken = "swordfish"
	ssh := newSSHHost(t, r)
	opened := ssh.endpoint()
	opened.Auth.Identity = locked(t, opened.Auth.Identity, "swordfish")
	opened.Auth.IdentityPassword = []byte("swordfish")
	for name, e := range map[string]git.Endpoint{"a bearer token": token, "a key with a passphrase": opened} {
		refs, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), e)
		if err != nil || refs.Hashes["refs/heads/main"] != head {
			t.Errorf("%s: got %+v, %v", name, refs, err)
		}
	}
	opened.Auth.IdentityPassword = []byte("hunter2")
	_, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), opened)
	wantFault(t, err, fault.SecretInvalid)
}
