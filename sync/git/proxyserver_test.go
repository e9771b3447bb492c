package git_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
)

// proxyHost is a proxy that opens tunnels: by CONNECT, or by SOCKS version 5 as RFC 1928 and
// RFC 1929 have it.
type proxyHost struct {
	url            *url.URL // with the credential
	user, password string

	mu      sync.Mutex
	targets []string // asked for, as written by the client
}

func (p *proxyHost) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.targets
}

// reach dials what the client asked for. The proxy resolves names; those below .proxied exist
// for it alone.
func (p *proxyHost) reach(target string) (net.Conn, error) {
	p.mu.Lock()
	p.targets = append(p.targets, target)
	p.mu.Unlock()
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	if host == "git.proxied" {
		host = "127.0.0.1"
	}
	return net.Dial("tcp", net.JoinHostPort(host, port))
}

// newConnectProxy is an http proxy, or an https one.
func newConnectProxy(t testing.TB, overTLS bool) (*proxyHost, *httptest.Server) {
	t.Helper()
	p := &proxyHost{user: "robot", password: "swordfish"}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password)) {
			http.Error(w, "who is there?", http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		there, err := p.reach(r.Host)
		if err != nil {
			http.Error(w, "no way", http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			_ = there.Close()
			return
		}
		tunnel(buffered, here, there)
	}))
	server.Config.ErrorLog = quiet
	if overTLS {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	p.url, _ = url.Parse(server.URL)
	p.url.User = url.UserPassword(p.user, p.password)
	return p, server
}

// tunnel copies both ways until either side is done.
func tunnel(from io.Reader, here, there net.Conn) {
	go func() {
		_, _ = io.Copy(there, from)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

func newSOCKSProxy(t testing.TB) *proxyHost {
	t.Helper()
	p := &proxyHost{user: "robot", password: "swordfish"}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p.url = &url.URL{Scheme: "socks5", Host: listener.Addr().String(), User: url.UserPassword(p.user, p.password)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.socks(conn)
		}
	}()
	return p
}

func (p *proxyHost) socks(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	target, err := p.greet(in, conn)
	if err != nil {
		return
	}
	there, err := p.reach(target)
	code := byte(0)
	if err != nil {
		code = 5 // connection refused
	}
	_, _ = conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
	if err == nil {
		tunnel(in, conn, there)
	}
}

var errSOCKS = errors.New("not what RFC 1928 says")

// greet does the method negotiation, the login and the request.
func (p *proxyHost) greet(in *bufio.Reader, out io.Writer) (target string, err error) {
	next := func(n int) []byte {
		b := make([]byte, n)
		if err == nil {
			_, err = io.ReadFull(in, b)
		}
		return b
	}
	field := func() string { return string(next(int(next(1)[0]))) }
	if head := next(1); err != nil || head[0] != 5 {
		return "", errSOCKS
	}
	const login = 2
	if methods := []byte(field()); err != nil || !contains(methods, login) {
		_, _ = out.Write([]byte{5, 0xff})
		return "", errSOCKS
	}
	_, _ = out.Write([]byte{5, login})
	next(1)
	user, password := field(), field()
	if err != nil || user != p.user || password != p.password {
		_, _ = out.Write([]byte{1, 1})
		return "", errSOCKS
	}
	_, _ = out.Write([]byte{1, 0})
	request := next(4)
	var host string
	switch request[3] {
	case 1:
		host = net.IP(next(4)).String()
	case 3:
		host = field()
	case 4:
		host = net.IP(next(16)).String()
	}
	port := next(2)
	if err != nil || request[1] != 1 {
		return "", errSOCKS
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1]))), nil
}

func contains(all []byte, b byte) bool {
	for _, other := range all {
		if other == b {
			return true
		}
	}
	return false
}
