package git

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

const (
	refsSuffix        = "/info/refs"
	packSuffix        = "/git-upload-pack"
	advertisementType = "application/x-git-upload-pack-advertisement"
	requestType       = "application/x-git-upload-pack-request"
	resultType        = "application/x-git-upload-pack-result"
)

// httpConnection is a [connection] over https: one GET, unless the host is known to speak
// version 2, then a POST for each command or pack.
type httpConnection struct {
	client *http.Client
	origin *url.URL // of the repository
	base   *url.URL // where the first redirects led
	auth   Auth
	agent  string
	limits Limits
}

// openHTTP needs no request. d is what is known from earlier, or nil.
func (c *Client) openHTTP(e Endpoint, l location, d *dialect) (connection, error) {
	tripper, err := c.trippers.get(e)
	if err != nil {
		return nil, err
	}
	h := &httpConnection{
		client: &http.Client{Transport: tripper, CheckRedirect: sameOrigin},
		origin: l.url(), auth: e.Auth, agent: c.options.UserAgent, limits: c.options.Limits,
	}
	if h.base = h.origin; d != nil {
		h.base = d.base
	}
	return h, nil
}

func (h *httpConnection) advertise(ctx context.Context) (*advertisement, error) {
	h.base = h.origin
	response, err := h.do(ctx, http.MethodGet, refsSuffix+"?service=git-upload-pack", nil, protocolVersion, advertisementType)
	if err != nil {
		return nil, err
	}
	defer finish(response.Body)
	if final := response.Request.URL; strings.HasSuffix(final.Path, refsSuffix) {
		h.base = &url.URL{Scheme: final.Scheme, Host: final.Host, Path: strings.TrimSuffix(final.Path, refsSuffix)}
	}
	p := newPackets(response.Body)
	defer p.release()
	a, err := decodeAdvertisement(p, h.limits)
	if err == nil && a.dialect != nil {
		a.dialect.base = h.base
	}
	return a, err
}

func (h *httpConnection) command(ctx context.Context, request []byte) (*answer, error) {
	response, err := h.do(ctx, http.MethodPost, packSuffix, request, protocolVersion, resultType)
	if err != nil {
		return nil, err
	}
	p := newPackets(response.Body)
	return &answer{p, func() {
		p.release()
		finish(response.Body)
	}}, nil
}

func (h *httpConnection) uploadPack(ctx context.Context, request []byte) (io.ReadCloser, error) {
	response, err := h.do(ctx, http.MethodPost, packSuffix, request, "", resultType)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{response.Body, closer(func() { finish(response.Body) })}, nil
}

type closer func()

func (c closer) Close() error {
	c()
	return nil
}

// finish closes a body that was only read from. A connection can be used again when its body
// was read to the end, so what little is left is read.
func finish(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

func (h *httpConnection) Close() error { return nil } // connections are kept for the next operation

// do gives the answer when it is a success of the type; its body is then the caller's to
// close. version is the protocol that is asked for, empty for version 0.
func (h *httpConnection) do(ctx context.Context, method, suffix string, body []byte, version, wanted string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, h.base.String()+suffix, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", requestType)
	}
	if version != "" {
		request.Header.Set("Git-Protocol", version)
	}
	request.Header.Set("User-Agent", h.agent)
	request.Header.Set("Accept", wanted)
	switch {
	case h.auth.BearerToken != "":
		request.Header.Set("Authorization", "Bearer "+h.auth.BearerToken)
	case h.auth.Username != "" || h.auth.Password != "":
		request.SetBasicAuth(h.auth.Username, h.auth.Password)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // what the host writes there is nobody's to trust
		return nil, statusError{response.StatusCode, retryAfter(response.Header, time.Now())}
	}
	if kind, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != wanted {
		_ = response.Body.Close()
		return nil, notGitError{clip(kind)}
	}
	return response, nil
}

// statusError is an HTTP status other than success.
type statusError struct {
	code  int
	after time.Duration // 0 when the host does not say
}

// busy says whether the host has no time for anybody: too many requests, a spent quota, or
// maintenance with an end.
func (e statusError) busy() bool {
	return e.code == http.StatusTooManyRequests || e.after > 0 && (e.code == http.StatusForbidden || e.code == http.StatusServiceUnavailable)
}

func (e statusError) Error() string { return fmt.Sprintf("HTTP status %d", e.code) }

// notGitError is an answer of another type than that of Git's smart protocol.
type notGitError struct{ contentType string }

func (e notGitError) Error() string { return fmt.Sprintf("content type %q", e.contentType) }

// redirectError is a redirect to where the credential must not go.
type redirectError struct{ to string }

func (e redirectError) Error() string { return fmt.Sprintf("redirect to %q", e.to) }

// sameOrigin follows a few redirects, such as the one that adds .git, to the same scheme and
// host only.
func sameOrigin(request *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || request.URL.Scheme != first.URL.Scheme || !strings.EqualFold(request.URL.Host, first.URL.Host) || len(via) > 3 {
		return redirectError{clip((&url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host}).String())}
	}
	return nil
}

// retryAfter reads when to come back, in either form of the header, at most a day ahead; and
// the form of GitHub, which says when the quota is full again.
func retryAfter(h http.Header, now time.Time) time.Duration {
	var after time.Duration
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		after = time.Duration(min(seconds, 86400)) * time.Second
	} else if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		after = at.Sub(now)
	} else if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" {
		after = time.Unix(reset, 0).Sub(now)
	}
	return min(max(after, 0), 24*time.Hour)
}

// trippers holds an [http.Transport] for each set of TLS material and proxy, so that
// connections are reused and material is never mixed. It is safe for concurrent use.
type trippers struct {
	base *http.Transport
	mu   sync.Mutex
	own  map[[sha256.Size]byte]*http.Transport
}

// maxTrippers bounds how many transports with TLS material or a proxy of their own are kept.
const maxTrippers = 64

func (t *trippers) get(e Endpoint) (http.RoundTripper, error) {
	a := e.Auth
	if len(a.CA)+len(a.ClientCert)+len(a.ClientKey) == 0 && e.Proxy == nil {
		return t.base, nil
	}
	key := sha256.Sum256([]byte(Endpoint{Auth: Auth{CA: a.CA, ClientCert: a.ClientCert, ClientKey: a.ClientKey}, Proxy: e.Proxy}.identity()))
	t.mu.Lock()
	defer t.mu.Unlock()
	if own, ok := t.own[key]; ok {
		return own, nil
	}
	config, err := tlsConfig(a)
	if err != nil {
		return nil, err
	}
	for k, old := range t.own {
		if len(t.own) < maxTrippers {
			break
		}
		old.CloseIdleConnections()
		delete(t.own, k)
	}
	own := t.base.Clone()
	own.TLSClientConfig = config
	if e.Proxy != nil {
		own.Proxy = http.ProxyURL(e.Proxy)
	}
	t.own[key] = own
	return own, nil
}

func tlsConfig(a Auth) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(a.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a container image without any
		}
		if !pool.AppendCertsFromPEM(a.CA) {
			return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "ca.crt"}, "store certificates in PEM", "the CA holds no certificate")
		}
		config.RootCAs = pool
	}
	if len(a.ClientCert)+len(a.ClientKey) > 0 {
		pair, err := tls.X509KeyPair(a.ClientCert, a.ClientKey)
		if err != nil {
			return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "tls.crt"}, "store a certificate and its key in PEM under tls.crt and tls.key", "the client certificate and its key do not make a pair")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
