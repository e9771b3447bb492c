package git

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/assay-dev/assay/api/fault"
)

func FuzzLocation(f *testing.F) {
	for _, seed := range []string{
		"https://git.example/shop.git", "ssh://git@git.example:2222/shop", "git@git.example:team/shop.git", "http://h/p",
		"file:///etc/passwd", "git://h/p", "ext::sh -c touch% owned", `C:\repo`, "/srv/repo", "https://user:hunter2@h/p",
		"ssh://-oProxyCommand=x/p", "git@h:-x", "https://[::1]:8443/p", "https://h/p?a=b#c", "https://h", "://", "https://h/%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		l, err := parseLocation(raw, false)
		if err != nil {
			if fault.ReasonOf(err) != fault.InvalidSpec || shows(err, raw) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if l.scheme != "https" && l.scheme != "ssh" || l.host == "" || strings.HasPrefix(l.host, "-") || strings.Trim(l.path, "/") == "" {
			t.Errorf("%q is taken for %+v", raw, l)
		}
		if u := l.url(); u.User != nil || u.RawQuery != "" {
			t.Errorf("%q becomes %v", raw, u)
		}
		if _, err := parseLocation(l.String(), false); err != nil {
			t.Errorf("%q is shown as %q: %v", raw, l, err)
		}
	})
}

// shows says whether the error has the URL's password in it. Where the same text stands elsewhere
// in the URL or in what every message says, that cannot be told, nor of a text of a few letters.
func shows(err error, raw string) bool {
	u, parseErr := url.Parse(raw)
	if parseErr != nil {
		return false
	}
	secret, there := u.User.Password()
	if !there || len(secret) < 6 || strings.Count(raw, secret) != 1 {
		return false
	}
	_, usual := parseLocation("https://user:other@h/p", false)
	return strings.Contains(err.Error(), secret) && !strings.Contains(usual.Error(), secret)
}

func TestAPasswordThatIsShownIsNoticed(t *testing.T) {
	for raw, want := range map[string]bool{"https://user:hunter2@h/p": true, "A://hunter20": false, "https://hunter2:hunter2@h/p": false} {
		if got := shows(errors.New("the URL "+raw+" is refused"), raw); got != want {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
}

func FuzzCommit(f *testing.F) {
	for _, seed := range []string{strings.Repeat("a", 40), strings.Repeat("0", 64), "main", "", "--upload-pack=x", strings.Repeat("A", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if hash, err := parseCommit(s); err == nil && hash.String() != s {
			t.Errorf("%q is taken for %s", s, hash)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"", ".", "tests", "tests/a b", "../x", "/x", "a//b", `a\b`, "a/.git/config", ".GiT", "a\x00b", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		parts, err := parsePath(path)
		if err != nil || len(parts) == 0 {
			return
		}
		if !fs.ValidPath(path) || strings.Join(parts, "/") != path || strings.ContainsAny(path, "\\\x00") {
			t.Errorf("%q is taken for %q", path, parts)
		}
		for _, part := range parts {
			if strings.EqualFold(part, ".git") || part == ".." {
				t.Errorf("%q is let through", path)
			}
		}
	})
}

// FuzzUnpack reads packs, and the commits in them, that are as they come or made of a script:
// what is deflated and summed the fuzzer cannot write. Any fault may come that a host can cause,
// and what is kept is what it is called, within the limits.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"), true)
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff\x31x\x9c"), true)
	for _, script := range packScripts {
		f.Add([]byte(script), false)
	}
	limits := Limits{PackBytes: 1 << 14, FileBytes: 1 << 10, TotalBytes: 1 << 11, Files: 8, Depth: 4}.withDefaults()
	f.Fuzz(func(t *testing.T, raw []byte, whole bool) {
		raw, top := raw[:min(len(raw), 4<<10)], plumbing.ZeroHash
		if !whole {
			raw, top = assemble(raw)
		}
		s := newStore(limits)
		err := classify(readPack(t.Context(), s, raw, top), Endpoint{}, location{scheme: "https", host: "git.example", path: "/shop"})
		if err != nil {
			switch fault.ReasonOf(err) {
			case fault.HostFailed, fault.LimitExceeded, fault.RefNotFound, fault.InvalidCatalog:
			default:
				t.Errorf("got %s: %v", fault.ReasonOf(err), err)
			}
			if strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 2<<10 {
				t.Errorf("%q cannot be shown", err)
			}
		}
		var kept int64
		for hash, o := range s.objects {
			kept += int64(len(o.content)) + objectOverhead
			if plumbing.ComputeHash(o.kind, o.content) != hash {
				t.Errorf("%s is kept as %s", plumbing.ComputeHash(o.kind, o.content), hash)
			}
		}
		if kept > limits.PackBytes {
			t.Errorf("%d bytes are kept", kept)
		}
	})
}
