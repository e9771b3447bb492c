package githubapp

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/assay-dev/assay/api/fault"
)

// DefaultBaseURL is the API of github.com.
const DefaultBaseURL = "https://api.github.com"

// App is an installation of a GitHub App, under the names that Flux gives the keys of a
// Secret, and how to reach its GitHub.
type App struct {
	// ID is the App's ID, or its client ID (keys githubAppID, githubAppClientID). Required.
	ID string
	// PrivateKey is the App's RSA key in PEM (key githubAppPrivateKey). Required.
	PrivateKey []byte
	// InstallationID, or else InstallationOwner, the login of the account that the App is
	// installed on, says which installation (keys githubAppInstallationID and
	// githubAppInstallationOwner). One of them is required.
	InstallationID, InstallationOwner string
	// BaseURL is the API of a GitHub Enterprise Server, such as
	// https://github.example.org/api/v3; https is added where no scheme is given. Default:
	// [DefaultBaseURL] (key githubAppBaseURL).
	BaseURL string
	// CA holds PEM certificates that are trusted beside the system's. May be empty.
	CA []byte
	// Proxy is http, https or socks5, with its credential as userinfo; nil for the one of the
	// environment.
	Proxy *url.URL
	// Timeout of the whole exchange. Zero: one minute.
	Timeout time.Duration
}

// Principal tells Apps, installations and keys apart, and does not give the key away.
func (a App) Principal() string {
	proxy := ""
	if a.Proxy != nil {
		proxy = a.Proxy.String()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q %q", a.ID, a.PrivateKey, a.InstallationID, a.InstallationOwner, a.BaseURL, a.CA, proxy))
	return "github-app:" + hex.EncodeToString(sum[:])
}

// jot makes the token by which the App says who it is, for a few minutes. It is dated back a
// minute, as GitHub advises, for clocks that go wrong.
func (a App) jot(now time.Time) (string, error) {
	key, err := a.key()
	if err != nil {
		return "", err
	}
	claims := jwt.RegisteredClaims{Issuer: a.ID, IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(8 * time.Minute))}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key)
	if err != nil {
		return "", invalid("githubAppPrivateKey", "store the RSA key that GitHub made for the App", "the private key cannot sign")
	}
	return signed, nil
}

func (a App) key() (*rsa.PrivateKey, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM(a.PrivateKey)
	if err != nil {
		// The parser's text is not shown: it may repeat what it was given.
		return nil, invalid("githubAppPrivateKey", "store the RSA key that GitHub made for the App, in PEM", "the private key cannot be read")
	}
	return key, nil
}

// base gives the root of the API.
func (a App) base() (*url.URL, error) {
	raw := strings.TrimRight(a.BaseURL, "/")
	switch {
	case raw == "":
		raw = DefaultBaseURL
	case !strings.Contains(raw, "://"):
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid("githubAppBaseURL", "write it as https://github.example.org/api/v3", "the base URL is not one of an API over https")
	}
	return u, nil
}

func invalid(key, remedy, format string, args ...any) error {
	return fault.New(fault.SecretInvalid, fault.Place{Field: key}, remedy, format, args...)
}
