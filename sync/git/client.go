package git

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
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
	// PerHost is how many operations may run on one host at once, 8 by default.
	PerHost int
	// UserAgent is what hosts see, "assay" by default.
	UserAgent string
	// Dial opens connections, for https and ssh alike, to hosts and to proxies; [Dial] by
	// default.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client reads repositories on hosts. It is safe for concurrent use and keeps nothing but
// idle connections between calls.
type Client struct {
	options  Options
	trippers trippers
	slots    slots
	listing  singleflight.Group // of Refs, by Endpoint.identity
}

// New gives a client with the options.
func New(options Options) *Client {
	options.Limits = options.Limits.withDefaults()
	options.PerHost = orDefault(options.PerHost, 8)
	if options.UserAgent == "" {
		options.UserAgent = "assay"
	}
	if options.Dial == nil {
		options.Dial = Dial
	}
	return &Client{
		options: options,
		slots:   slots{each: options.PerHost, hosts: map[string]*slot{}},
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
	if err := CheckHost(l.host); err != nil {
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
	return classify(err, e, l)
}

func (c *Client) converse(ctx context.Context, e Endpoint, l location, f func(context.Context, location, *session) error) error {
	conn, err := c.open(ctx, e, l)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // everything was read
	adv, err := conn.advertise(ctx)
	if err != nil {
		return err
	}
	return f(ctx, l, &session{connection: conn, AdvRefs: adv, limits: c.options.Limits, agent: c.options.UserAgent})
}

func (c *Client) open(ctx context.Context, e Endpoint, l location) (connection, error) {
	if l.scheme == "ssh" {
		return c.openSSH(ctx, e, l)
	}
	return c.openHTTP(e, l)
}
