package git

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"
)

// Options configures a [Client]. Its zero value is fit for use.
type Options struct {
	// Limits bounds what is read; zero fields mean their defaults.
	Limits Limits
	// AllowHTTP admits http:// URLs, where everybody on the way reads the credential.
	AllowHTTP bool
	// PerHost is how many operations may run on one host at once, 8 by default. As many may
	// wait, and as many for what others ask for; one more is a HostBusy fault.
	PerHost int
	// Remembered is how many bytes of memory may hold what hosts answered to [Client.Refs], so
	// that an answer that did not change costs nothing; 64 MiB by default. An answer takes
	// about 200 bytes for each ref.
	Remembered int64
	// UserAgent is what hosts see, "assay" by default.
	UserAgent string
	// Reach says which hosts may be connected to.
	Reach Reach
	// Dial opens connections, for https and ssh alike, to hosts and to proxies; that of Reach
	// by default.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client reads repositories on hosts. It is safe for concurrent use. Between calls it keeps
// idle connections, and within a bound what hosts can do and which refs they have. A host that
// asks to come back later is left alone by everybody: until then, or for five minutes if that
// is sooner, each call for any repository there is a RateLimited fault with the time left.
type Client struct {
	options  Options
	trippers trippers
	slots    slots
	memory   *memory
	listing  singleflight.Group // of Refs, by Endpoint.identity
}

// New gives a client with the options.
func New(options Options) *Client {
	options.Limits = options.Limits.withDefaults()
	options.PerHost = orDefault(options.PerHost, 8)
	options.Remembered = orDefault(options.Remembered, 64<<20)
	if options.UserAgent == "" {
		options.UserAgent = "assay"
	}
	if options.Dial == nil {
		options.Dial = options.Reach.Dial
	}
	return &Client{
		options: options,
		slots:   slots{each: options.PerHost, now: time.Now, hosts: map[string]*slot{}},
		memory:  newMemory(options.Remembered),
		trippers: trippers{
			own: map[[sha256.Size]byte]*http.Transport{},
			base: &http.Transport{
				Proxy: http.ProxyFromEnvironment, OnProxyConnectResponse: tunnelled, DialContext: options.Dial, ForceAttemptHTTP2: true,
				TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 15 * time.Second,
				ResponseHeaderTimeout: DefaultTimeout, IdleConnTimeout: 90 * time.Second,
				MaxIdleConns: 128, MaxIdleConnsPerHost: options.PerHost, MaxResponseHeaderBytes: 64 << 10,
			},
		},
	}
}

// operate runs f on a session with the repository, within the host's slots and the endpoint's
// time, and classifies the error of whatever fails.
func (c *Client) operate(ctx context.Context, e Endpoint, f func(context.Context, location, *session) error) error {
	l, err := parseLocation(e.URL, c.options.AllowHTTP)
	if err != nil {
		return err
	}
	if err := c.options.Reach.CheckHost(l.host); err != nil {
		return classify(err, e, l)
	}
	release, err := c.slots.acquire(ctx, l.address())
	if err != nil {
		return classify(err, e, l)
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, e.timeout())
	defer cancel()
	err = c.converse(ctx, e, l, f)
	// What a connection that was closed for lack of time says is beside the point.
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if status := (statusError{}); errors.As(err, &status) && status.busy() {
		c.slots.rest(l.address(), status)
	}
	return classify(err, e, l)
}

// share is for who may get what others ask the endpoint's host for, until leave is called.
func (c *Client) share(ctx context.Context, e Endpoint) (leave func(), err error) {
	l, err := parseLocation(e.URL, c.options.AllowHTTP)
	if err != nil {
		return nil, err
	}
	leave, err = c.slots.share(ctx, l.address())
	return leave, classify(err, e, l)
}

func (c *Client) converse(ctx context.Context, e Endpoint, l location, f func(context.Context, location, *session) error) error {
	s := &session{limits: c.options.Limits, agent: c.options.UserAgent, memory: c.memory, identity: e.identity()}
	var err error
	if l.scheme == "ssh" {
		s.connection, err = c.openSSH(ctx, e, l)
	} else {
		s.dialect = c.memory.dialect(s.identity)
		s.recalled = s.dialect != nil
		s.connection, err = c.openHTTP(e, l, s.dialect)
	}
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // everything was read
	if s.dialect == nil {
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	return f(ctx, l, s)
}
