package git

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/assay-dev/assay/api/fault"
)

const (
	checkProxy = "check the keys address, username and password of the proxy's Secret"
	// connectingProxy is what net/http calls it in a [net.OpError].
	connectingProxy = "proxyconnect"
)

// dial opens the connection for ssh, through the endpoint's proxy if it has one. The proxy's
// own address is dialled like any other, so that a link-local one is refused too.
func (c *Client) dial(ctx context.Context, e Endpoint, l location) (net.Conn, error) {
	if e.Proxy == nil {
		return c.options.Dial(ctx, "tcp", l.address())
	}
	if e.Proxy.Scheme != "socks5" {
		return nil, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.proxySecretRef"}, "use a socks5 proxy, or an https URL",
			"ssh does not go through a proxy of the kind %q", e.Proxy.Scheme)
	}
	var auth *proxy.Auth
	if user := e.Proxy.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	socks, err := proxy.SOCKS5("tcp", proxyAddress(e.Proxy), auth, proxyDialer{c.options.Dial})
	if err != nil {
		return nil, err
	}
	return socks.(proxy.ContextDialer).DialContext(ctx, "tcp", l.address())
}

// proxyDialer dials the proxy itself, and marks the errors of that as net/http does.
type proxyDialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (d proxyDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d proxyDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: connectingProxy, Net: network, Err: err}
	}
	return conn, nil
}

func proxyAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if port == "" {
		port = "1080"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// proxyStatusError is a proxy that does not open a tunnel.
type proxyStatusError struct{ code int }

func (e proxyStatusError) Error() string {
	return fmt.Sprintf("the proxy answers with HTTP status %d", e.code)
}

// tunnelled is an [http.Transport.OnProxyConnectResponse].
func tunnelled(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return proxyStatusError{response.StatusCode}
}

// classifyProxy is for what happens on the way, before the host is asked.
func classifyProxy(err error, e Endpoint, l location) *fault.Fault {
	var refused proxyStatusError
	met := onTheWay(err)
	switch {
	case errors.As(err, &refused) && refused.code == http.StatusProxyAuthRequired:
		return fault.New(fault.AuthenticationFailed, fault.Place{}, checkProxy, "the proxy refuses the credential with HTTP status %d", refused.code)
	case errors.As(err, &refused):
		return fault.New(fault.HostUnreachable, fault.Place{}, "let the proxy connect to it", "the proxy does not connect to %q: HTTP status %d", l.host, refused.code)
	case met == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil
	case met.Op != connectingProxy:
		return fault.New(fault.HostUnreachable, fault.Place{}, checkProxy+", and let it connect to the host", "the proxy does not connect to %q: %v", l.host, innermost(met))
	}
	at := location{scheme: "https", host: "of the environment"}
	if e.Proxy != nil {
		at.host = e.Proxy.Host
	}
	if f := classifyTrust(met.Err, at); f != nil {
		f.Message = "the proxy: " + f.Message
		return f
	}
	return fault.New(fault.HostUnreachable, fault.Place{}, checkProxy+", and the network policies of the cluster", "the proxy %q cannot be reached: %v", at.host, innermost(met))
}

// onTheWay gives what net/http and x/net/proxy met before the host: reaching the proxy, or
// else the proxy's answer over SOCKS.
func onTheWay(err error) (met *net.OpError) {
	var op *net.OpError
	for ; errors.As(err, &op); err = op.Err {
		if op.Op == connectingProxy || strings.HasPrefix(op.Op, "socks ") {
			met = op
		}
	}
	return met
}
