package git

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"time"
)

// DefaultTimeout bounds one operation on a host when an [Endpoint] does not say.
const DefaultTimeout = 60 * time.Second

// Endpoint is a repository on a host and how to log in there.
type Endpoint struct {
	// URL is https://host/path, ssh://user@host[:port]/path or user@host:path; http:// only
	// when the client allows it. It must not hold a password.
	URL string
	// Auth is the credential; its zero value is none, which ssh does not accept.
	Auth Auth
	// Proxy is http, https or socks5, with its credential as userinfo; ssh takes socks5 only.
	// The proxy resolves the host's name. nil means the one of the environment, which is for
	// https only.
	Proxy *url.URL
	// Timeout bounds each operation from its first byte to its last, [DefaultTimeout] when 0.
	// Waiting for a free slot of the host does not count.
	Timeout time.Duration
}

// Auth is a credential with what is needed to trust the host, under the names that Flux gives
// the keys of a Secret. Empty fields are not used.
type Auth struct {
	// Username and Password are for https (keys username and password); a forge's token is
	// usually the password.
	Username, Password string
	// BearerToken is for https and goes before Username and Password (key bearerToken).
	BearerToken string
	// Principal names whom a Password stands for that is renewed now and then: calls with the
	// same principal are taken for the same, whatever the password. Empty: the password itself.
	Principal string
	// Identity is the private key for ssh in PEM, IdentityPassword its passphrase, and
	// KnownHosts the lines that the host's key must match; ssh needs Identity and KnownHosts
	// (keys identity, password, known_hosts).
	Identity, IdentityPassword, KnownHosts []byte
	// CA is a bundle in PEM, trusted for https in addition to the system's (key ca.crt).
	CA []byte
	// ClientCert and ClientKey are a pair in PEM for mutual TLS (keys tls.crt and tls.key).
	ClientCert, ClientKey []byte
}

func (e Endpoint) timeout() time.Duration {
	if e.Timeout > 0 {
		return e.Timeout
	}
	return DefaultTimeout
}

// identity tells endpoints apart by URL and credential without keeping the credential, so
// that nobody is handed what was read with somebody else's.
func (e Endpoint) identity() string {
	proxy, password := "", e.Auth.Password
	if e.Proxy != nil {
		proxy = e.Proxy.String()
	}
	if e.Auth.Principal != "" {
		password = ""
	}
	h := sha256.New()
	for _, field := range [][]byte{
		[]byte(e.URL), []byte(e.Auth.Username), []byte(password), []byte(e.Auth.Principal), []byte(proxy), []byte(e.Auth.BearerToken),
		e.Auth.Identity, e.Auth.IdentityPassword, e.Auth.KnownHosts, e.Auth.CA, e.Auth.ClientCert, e.Auth.ClientKey,
	} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		h.Write(field)
	}
	return hex.EncodeToString(h.Sum(nil))
}
