package git_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

// TestFaultsOverHTTPS breaks one thing of a repository that can be read, each in its way.
func TestFaultsOverHTTPS(t *testing.T) {
	answer := func(code int, header ...string) func(*testing.T, *host, *git.Endpoint) {
		return func(_ *testing.T, h *host, _ *git.Endpoint) {
			h.before = func(w http.ResponseWriter, _ *http.Request) bool {
				for i := 0; i < len(header); i += 2 {
					w.Header().Set(header[i], header[i+1])
				}
				http.Error(w, "your password hunter2 is leaked", code)
				return true
			}
		}
	}
	for name, tc := range map[string]struct {
		breakIt func(*testing.T, *host, *git.Endpoint)
		reason  fault.Reason
		remedy  string
		after   time.Duration
	}{
		"a wrong password":      {func(_ *testing.T, _ *host, e *git.Endpoint) { e.Auth.Password = "hunter2" }, fault.AuthenticationFailed, "password", 0},
		"no credential":         {func(_ *testing.T, _ *host, e *git.Endpoint) { e.Auth = git.Auth{CA: e.Auth.CA} }, fault.AuthenticationFailed, "Secret", 0},
		"a bearer token":        {func(_ *testing.T, _ *host, e *git.Endpoint) { e.Auth.BearerToken = "hunter2" }, fault.AuthenticationFailed, "bearerToken", 0},
		"forbidden":             {answer(403), fault.AuthenticationFailed, "credential", 0},
		"no such repository":    {func(_ *testing.T, _ *host, e *git.Endpoint) { e.URL += "/nowhere" }, fault.RepositoryNotFound, "URL", 0},
		"a web page":            {answer(200, "Content-Type", "text/html"), fault.RepositoryNotFound, "URL", 0},
		"too many requests":     {answer(429, "Retry-After", "17"), fault.RateLimited, "", 17 * time.Second},
		"a spent quota":         {answer(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "99999999999"), fault.RateLimited, "", 24 * time.Hour},
		"a host that is down":   {answer(503, "Retry-After", "5"), fault.RateLimited, "", 5 * time.Second},
		"a host that is broken": {answer(500), fault.HostFailed, "", 0},
		"an unknown authority":  {func(_ *testing.T, _ *host, e *git.Endpoint) { e.Auth.CA = nil }, fault.HostNotTrusted, "ca.crt", 0},
		"a wrong authority":     {func(t *testing.T, _ *host, e *git.Endpoint) { e.Auth.CA, _ = certificate(t) }, fault.HostNotTrusted, "ca.crt", 0},
		"a broken authority":    {func(_ *testing.T, _ *host, e *git.Endpoint) { e.Auth.CA = []byte("hunter2") }, fault.SecretInvalid, "PEM", 0},
		"another name": {func(_ *testing.T, _ *host, e *git.Endpoint) {
			e.URL = strings.Replace(e.URL, "127.0.0.1", "localhost", 1)
		}, fault.HostNotTrusted, "", 0},
		"a broken client key": {func(_ *testing.T, _ *host, e *git.Endpoint) { e.Auth.ClientKey = []byte("hunter2") }, fault.SecretInvalid, "tls.key", 0},
		"an unknown host":     {func(_ *testing.T, _ *host, e *git.Endpoint) { e.URL = "https://nowhere.invalid/shop.git" }, fault.HostUnreachable, "DNS", 0},
		"nobody listens":      {func(_ *testing.T, h *host, _ *git.Endpoint) { h.Close() }, fault.HostUnreachable, "network policies", 0},
		"http":                {func(_ *testing.T, _ *host, e *git.Endpoint) { e.URL = strings.Replace(e.URL, "https", "http", 1) }, fault.InvalidSpec, "https", 0},
		"a hang-up": {func(_ *testing.T, h *host, _ *git.Endpoint) {
			h.before = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
		}, fault.HostFailed, "", 0},
		"a redirect to another host": {func(t *testing.T, h *host, _ *git.Endpoint) {
			other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("the redirect was followed with %v", r.Header)
			}))
			t.Cleanup(other.Close)
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
				return true
			}
		}, fault.HostNotTrusted, "URL", 0},
		"a redirect to http": {func(_ *testing.T, h *host, _ *git.Endpoint) {
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusFound)
				return true
			}
		}, fault.HostNotTrusted, "URL", 0},
		"a redirect in circles": {func(_ *testing.T, h *host, _ *git.Endpoint) {
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, r.URL.String(), http.StatusFound)
				return true
			}
		}, fault.HostNotTrusted, "URL", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			head := r.commit(map[string]string{"tests/a": "1"})
			h := newHost(t, r)
			h.user, h.password = "robot", "token"
			e := h.endpoint()
			tc.breakIt(t, h, &e)
			c := git.New(git.Options{Reach: git.Loopback})
			_, err := c.Refs(t.Context(), e)
			f := wantFault(t, err, tc.reason)
			if !strings.Contains(f.Remedy, tc.remedy) || f.After != tc.after {
				t.Errorf("remedy %q after %s, want %q after %s", f.Remedy, f.After, tc.remedy, tc.after)
			}
			if strings.Contains(err.Error(), "\n") || f.Place.Repository == "" && tc.reason != fault.InvalidSpec {
				t.Errorf("%q has no place or several lines", err)
			}
			_, again := c.Tree(t.Context(), e, head, "tests")
			if wantFault(t, again, tc.reason).Error() != err.Error() {
				t.Errorf("the message changes from %q to %q", err, again)
			}
		})
	}
}

func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestClientCertificates(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	h := newHost(t, r)
	cert, key := certificate(t)
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(cert)
	mutual := httptest.NewUnstartedServer(h.Config.Handler)
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	mutual.Config.ErrorLog = quiet
	mutual.StartTLS()
	t.Cleanup(mutual.Close)
	e := h.endpoint()
	e.URL = strings.Replace(e.URL, h.URL, mutual.URL, 1)
	c := git.New(git.Options{Reach: git.Loopback})
	_, err := c.Refs(t.Context(), e)
	if f := wantFault(t, err, fault.AuthenticationFailed); !strings.Contains(f.Remedy, "tls.crt") {
		t.Errorf("remedy is %q", f.Remedy)
	}
	e.Auth.ClientCert, e.Auth.ClientKey = cert, key
	if _, err := c.Refs(t.Context(), e); err != nil {
		t.Error(err)
	}
}

func TestFaultsOverSSH(t *testing.T) {
	for name, tc := range map[string]struct {
		breakIt func(*testing.T, *sshHost, *git.Endpoint)
		reason  fault.Reason
		remedy  string
	}{
		"a key that is not let in": {func(t *testing.T, _ *sshHost, e *git.Endpoint) { _, e.Auth.Identity = newKey(t) }, fault.AuthenticationFailed, "identity"},
		"a host key that changed": {func(t *testing.T, h *sshHost, e *git.Endpoint) {
			other, _ := newKey(t)
			e.Auth.KnownHosts = []byte(knownhosts.Line([]string{h.address}, other.PublicKey()))
		}, fault.HostNotTrusted, "known_hosts"},
		"a host key not known": {func(t *testing.T, h *sshHost, e *git.Endpoint) {
			e.Auth.KnownHosts = []byte(knownhosts.Line([]string{"other.example"}, h.key.PublicKey()))
		}, fault.HostNotTrusted, "known_hosts"},
		"no known hosts":     {func(_ *testing.T, _ *sshHost, e *git.Endpoint) { e.Auth.KnownHosts = nil }, fault.SecretInvalid, "known_hosts"},
		"broken known hosts": {func(_ *testing.T, _ *sshHost, e *git.Endpoint) { e.Auth.KnownHosts = []byte("hunter2") }, fault.SecretInvalid, "ssh-keyscan"},
		"no identity":        {func(_ *testing.T, _ *sshHost, e *git.Endpoint) { e.Auth.Identity = nil }, fault.SecretInvalid, "identity"},
		"a broken identity":  {func(_ *testing.T, _ *sshHost, e *git.Endpoint) { e.Auth.Identity = []byte("hunter2") }, fault.SecretInvalid, "identity"},
		"no such repository": {func(_ *testing.T, _ *sshHost, e *git.Endpoint) { e.URL += "'; touch owned; '" }, fault.InvalidSpec, ""},
		"another repository": {func(_ *testing.T, _ *sshHost, e *git.Endpoint) { e.URL += "'$(false)" }, fault.RepositoryNotFound, "URL"},
		"a password": {func(_ *testing.T, _ *sshHost, e *git.Endpoint) {
			e.URL = strings.Replace(e.URL, "git@", "git:hunter2@", 1)
		}, fault.InvalidSpec, "Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			r.commit(map[string]string{"a": "1"})
			h := newSSHHost(t, r)
			e := h.endpoint()
			if _, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), e); err != nil {
				t.Fatalf("before it is broken: %v", err)
			}
			tc.breakIt(t, h, &e)
			_, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), e)
			if f := wantFault(t, err, tc.reason); !strings.Contains(f.Remedy, tc.remedy) {
				t.Errorf("remedy is %q", f.Remedy)
			}
		})
	}
}

// TestSilenceIsBounded asks hosts that accept a connection and never say a word.
func TestSilenceIsBounded(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		var open []net.Conn // what nobody holds is closed as garbage
		defer func() {
			for _, conn := range open {
				_ = conn.Close()
			}
		}()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open = append(open, conn)
		}
	}()
	address := listener.Addr().String()
	key, identity := newKey(t)
	for _, scheme := range []string{"https", "http", "ssh"} {
		t.Run(scheme, func(t *testing.T) {
			e := git.Endpoint{URL: scheme + "://" + address + "/shop.git", Timeout: 50 * time.Millisecond}
			if scheme == "ssh" {
				e.Auth = git.Auth{Identity: identity, KnownHosts: []byte(knownhosts.Line([]string{address}, key.PublicKey()))}
			}
			c := git.New(git.Options{Reach: git.Loopback, AllowHTTP: true})
			begun := time.Now()
			_, err := c.Tree(t.Context(), e, strings.Repeat("1", 40), "")
			f := wantFault(t, err, fault.HostUnreachable)
			if !strings.Contains(f.Message, "50ms") || time.Since(begun) > 10*time.Second {
				t.Errorf("%v after %s", err, time.Since(begun))
			}
			// The caller's own context ends it as well.
			e.Timeout = time.Hour
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = c.Tree(ctx, e, strings.Repeat("1", 40), "")
			wantFault(t, err, fault.HostUnreachable)
		})
	}
}

func TestHTTPIsForThoseWhoAskForIt(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"a": "1"})
	h := newHost(t, r)
	plain := httptest.NewServer(h.Config.Handler)
	t.Cleanup(plain.Close)
	e := h.endpoint()
	e.URL = strings.Replace(e.URL, h.URL, plain.URL, 1)
	refs, err := git.New(git.Options{Reach: git.Loopback, AllowHTTP: true}).Refs(t.Context(), e)
	if err != nil || refs.Hashes["refs/heads/main"] != head {
		t.Errorf("got %+v, %v", refs, err)
	}
}

func TestHostsHaveFewOperationsAtOnce(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	h, other := newHost(t, r), newHost(t, r)
	arrived, answer := make(chan struct{}, 4), make(chan struct{})
	h.before = func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-answer
		return false
	}
	c := git.New(git.Options{Reach: git.Loopback, PerHost: 1})
	first := make(chan error)
	go func() {
		_, err := c.Refs(t.Context(), h.endpoint())
		first <- err
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Tree(ctx, h.endpoint(), strings.Repeat("1", 40), "")
	wantFault(t, err, fault.HostUnreachable)
	if len(arrived) != 0 {
		t.Error("a second operation began")
	}

	// One may wait for a place, and one for what the first gets. Whoever comes then is sent away,
	// and may ask another host.
	waiting, cancel := context.WithCancel(t.Context())
	var seconds []chan error
	for _, ask := range []func(ctx context.Context) error{
		func(ctx context.Context) error {
			_, err := c.Tree(ctx, h.endpoint(), strings.Repeat("1", 40), "")
			return err
		},
		func(ctx context.Context) error { _, err := c.Refs(ctx, h.endpoint()); return err },
	} {
		second := make(chan error)
		seconds = append(seconds, second)
		go func() {
			err := error(fault.New(fault.HostBusy, fault.Place{}, "", "not yet"))
			for fault.ReasonOf(err) == fault.HostBusy { // while the loop below waits
				err = ask(waiting)
			}
			second <- err
		}()
		for err = nil; err == nil || fault.ReasonOf(err) != fault.HostBusy; {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			err = ask(ctx)
			cancel()
		}
		if fault.Of(err) != fault.Transient || fault.RetryAfter(err) == 0 {
			t.Errorf("who is sent away does not learn when to come back: %v", err)
		}
	}
	if _, err := c.Refs(t.Context(), other.endpoint()); err != nil {
		t.Errorf("another host: %v", err)
	}
	cancel()
	for _, second := range seconds {
		wantFault(t, <-second, fault.HostUnreachable)
	}
	close(answer)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
