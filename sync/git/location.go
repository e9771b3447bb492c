package git

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/assay-dev/assay/api/fault"
)

// location is an [Endpoint.URL] taken apart; its parts hold no password.
type location struct {
	scheme string // https, http or ssh
	user   string // for ssh only
	host   string // name or address, without brackets
	port   string // empty for the scheme's own
	path   string
}

// scpLike is user@host:path. The user is required, so that C:\dir and ext::command are not
// taken for hosts.
var scpLike = regexp.MustCompile(`^([A-Za-z0-9._-]+)@([A-Za-z0-9][A-Za-z0-9.-]*):([^:].*)$`)

// parseLocation refuses everything but https, ssh and, when allowed, http. Its faults do not
// repeat the URL, which may hold a credential.
func parseLocation(raw string, allowHTTP bool) (location, error) {
	if strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return location{}, badURL("the URL holds white space or control characters")
	}
	if !strings.Contains(raw, "://") {
		m := scpLike.FindStringSubmatch(raw)
		if m == nil {
			return location{}, badURL("the URL names no host")
		}
		return location{scheme: "ssh", user: m[1], host: m[2], path: m[3]}.checked(allowHTTP)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return location{}, badURL("the URL cannot be parsed")
	}
	l := location{scheme: u.Scheme, host: u.Hostname(), port: u.Port(), path: strings.TrimSuffix(u.Path, "/")}
	if u.RawQuery != "" || u.Fragment != "" {
		return location{}, badURL("the URL of a repository has no query and no fragment")
	}
	if _, secret := u.User.Password(); secret || u.User != nil && u.Scheme != "ssh" {
		return location{}, fault.New(fault.InvalidSpec, fault.Place{Repository: l.String()},
			"put the credential into the keys username and password of the Secret", "the URL holds a credential")
	}
	if u.User != nil {
		l.user = u.User.Username()
	}
	return l.checked(allowHTTP)
}

func (l location) checked(allowHTTP bool) (location, error) {
	place := fault.Place{Repository: l.String()}
	switch {
	case l.scheme == "http" && !allowHTTP:
		return location{}, fault.New(fault.InvalidSpec, place, "use https, or allow http for the whole controller",
			"http is refused, as it shows the credential to everybody on the way")
	case l.scheme != "https" && l.scheme != "http" && l.scheme != "ssh":
		return location{}, fault.New(fault.InvalidSpec, place, "use https or ssh", "the protocol %q is refused", l.scheme)
	case l.host == "" || strings.HasPrefix(l.host, "-") || strings.Contains(l.host, ":") && !isAddress(l.host):
		return location{}, badURL("the URL names no host")
	case strings.Trim(l.path, "/") == "" || strings.HasPrefix(strings.TrimLeft(l.path, "/"), "-"):
		return location{}, fault.New(fault.InvalidSpec, place, "", "the URL names no repository")
	}
	if l.scheme == "ssh" && l.user == "" {
		l.user = "git"
	}
	return l, nil
}

// isAddress tells an address of IPv6 from a name with a colon too many.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func badURL(message string) error {
	return fault.New(fault.InvalidSpec, fault.Place{}, "write https://host/path or ssh://git@host/path", "%s", message)
}

// address is what to dial.
func (l location) address() string {
	port := l.port
	if port == "" {
		port = map[string]string{"https": "443", "http": "80", "ssh": "22"}[l.scheme]
	}
	return net.JoinHostPort(l.host, port)
}

// url is the base of all requests over https; it holds no userinfo.
func (l location) url() *url.URL {
	host := l.host
	if l.port != "" {
		host = net.JoinHostPort(l.host, l.port)
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return &url.URL{Scheme: l.scheme, Host: host, Path: l.path}
}

// String is the URL as faults show it: without a user and in one form for both ways to write ssh.
func (l location) String() string {
	u := l.url()
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path
	}
	return u.String()
}
