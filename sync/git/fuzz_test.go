package git

import (
	"bytes"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"

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

// FuzzUnpack gives bytes of a pack to the store, and the bytes of a tree to the outline.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"))
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff\x31x\x9c"))
	f.Add([]byte("100644 a\x00aaaaaaaaaaaaaaaaaaaa40000 ..\x00aaaaaaaaaaaaaaaaaaaa"))
	limits := Limits{PackBytes: 1 << 20, FileBytes: 1 << 10}.withDefaults()
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := newStore(limits)
		_ = s.unpack(t.Context(), bytes.NewReader(raw)) // any error, no panic
		var kept int64
		for _, o := range s.objects {
			kept += int64(len(o.content))
		}
		if kept > limits.PackBytes {
			t.Errorf("%d bytes are kept", kept)
		}
		tree := plumbing.ComputeHash(plumbing.TreeObject, raw)
		commit := []byte("tree " + tree.String() + "\n\nm")
		s.objects[tree] = stored{plumbing.TreeObject, raw}
		top := plumbing.ComputeHash(plumbing.CommitObject, commit)
		s.objects[top] = stored{plumbing.CommitObject, commit}
		o := &outline{source: s, limits: limits}
		if root, err := o.draw(top, nil); err == nil {
			for _, c := range root.children {
				if !fs.ValidPath(c.name) {
					t.Errorf("%q is let through", c.name)
				}
			}
		}
	})
}
