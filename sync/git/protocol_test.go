package git_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

// versions are a repository on real servers that speak version 2, and on such that do not.
func versions(t *testing.T, r *repository) map[string]git.Endpoint {
	t.Helper()
	https, oldHTTPS, ssh, oldSSH := newHost(t, r), newHost(t, r), newSSHHost(t, r), newSSHHost(t, r)
	oldHTTPS.old, oldSSH.old = true, true
	return map[string]git.Endpoint{
		"https, version 2": https.endpoint(), "https, version 0": oldHTTPS.endpoint(),
		"ssh, version 2": ssh.endpoint(), "ssh, version 0": oldSSH.endpoint(),
	}
}

func TestVersionsGiveTheSameRefs(t *testing.T) {
	r := newRepository(t)
	first := r.commit(map[string]string{"a": "1"})
	r.git("tag", "-a", "-m", "release", "v1")
	r.git("tag", "light")
	second := r.commit(map[string]string{"a": "2"})
	for ref, commit := range map[string]string{
		"refs/heads/release/1": first, "refs/heads/release/2": second, "refs/heads/größe": first,
		"refs/pull/7/head": first, "refs/pull/7/merge": second, "refs/merge-requests/3/head": second, "refs/notes/commits": second,
	} {
		r.git("update-ref", ref, commit)
	}
	main := map[string]string{"refs/heads/main": second}
	releases := map[string]string{"refs/heads/release/1": first, "refs/heads/release/2": second}
	for version, e := range versions(t, r) {
		c := git.New(git.Options{Reach: git.Loopback})
		for _, tc := range []struct {
			prefixes []string
			want     []map[string]string
		}{
			{nil, []map[string]string{main}},
			{[]string{"refs/heads/main"}, []map[string]string{main}},
			{[]string{"refs/heads/release/"}, []map[string]string{main, releases}},
			{[]string{git.Branches, "refs/heads/release/1"}, []map[string]string{main, releases, {"refs/heads/größe": first}}},
			{[]string{git.Tags}, []map[string]string{main, {"refs/tags/v1": first, "refs/tags/light": first}}},
			{[]string{git.PullRequests, git.MergeRequests}, []map[string]string{main, {"refs/pull/7/head": first, "refs/merge-requests/3/head": second}}},
		} {
			want := git.Refs{Default: "refs/heads/main", Hashes: map[string]string{}}
			for _, m := range tc.want {
				maps.Copy(want.Hashes, m)
			}
			for range 2 { // as new, and as remembered
				got, err := c.Refs(t.Context(), e, tc.prefixes...)
				if err != nil {
					t.Fatalf("%s: %v", version, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %q: %s", version, tc.prefixes, diff)
				}
			}
		}
	}
}

func TestVersionsGiveTheSameTree(t *testing.T) {
	for _, filter := range []string{"true", "false"} {
		r := newRepository(t)
		r.git("config", "uploadpack.allowFilter", filter)
		r.git("config", "uploadpack.allowAnySHA1InWant", "true") // in version 2 it is always so
		base := r.commit(world)
		head := r.commit(map[string]string{"tests/api.yaml": "kind: Other\n", "tests/new": "1"})
		for version, e := range versions(t, r) {
			c := git.New(git.Options{Reach: git.Loopback})
			for range 2 { // with the advertisement, and without
				tree, err := c.Tree(t.Context(), e, base, "tests")
				if err != nil {
					t.Fatalf("%s, filter %s: %v", version, filter, err)
				}
				if diff := cmp.Diff(below(world, "tests"), contents(t, tree)); diff != "" {
					t.Errorf("%s, filter %s: %s", version, filter, diff)
				}
				paths, known, err := c.Changed(t.Context(), e, base, head)
				if diff := cmp.Diff([]string{"tests/api.yaml", "tests/new"}, paths); diff != "" || !known || err != nil {
					t.Errorf("%s, filter %s: %s, known %v, %v", version, filter, diff, known, err)
				}
				_, err = c.Tree(t.Context(), e, strings.Repeat("1", 40), "tests")
				wantFault(t, err, fault.RefNotFound)
			}
		}
	}
}

// asked shortens requests to what matters.
func asked(h *host) string {
	requests, _ := h.seen()
	var short []string
	for _, r := range requests {
		method, _, _ := strings.Cut(r, " ")
		short = append(short, method)
	}
	return strings.Join(short, " ")
}

func TestWhatIsKnownIsNotAskedAgain(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	h, c := newHost(t, r), git.New(git.Options{Reach: git.Loopback})
	list := func() git.Refs {
		t.Helper()
		refs, err := c.Refs(t.Context(), h.endpoint(), git.Branches)
		if err != nil {
			t.Fatal(err)
		}
		return refs
	}
	first := list()
	if got := asked(h); got != "GET POST" {
		t.Errorf("the first poll took %s", got)
	}
	second := list()
	if got := asked(h); got != "POST" {
		t.Errorf("the second poll took %s", got)
	}
	first.Hashes["shared"] = "yes" // which nobody but a test does
	if second.Hashes["shared"] == "" {
		t.Error("the answer did not change and was decoded again")
	}
	if _, err := c.Tree(t.Context(), h.endpoint(), head, "tests"); err != nil {
		t.Fatal(err)
	}
	if got := asked(h); got != "POST POST" {
		t.Errorf("a tree took %s", got)
	}
	// What changes is seen, wherever it is in the answer.
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"a new branch at the end", func() { r.git("branch", "zz") }},
		{"a new branch before", func() { r.git("branch", "aa") }},
		{"a move", func() { r.commit(map[string]string{"a": "2"}) }},
		{"one less", func() { r.git("branch", "-D", "aa") }},
		{"one less at the end", func() { r.git("branch", "-D", "zz") }},
	} {
		name := step.name
		step.change()
		refs := list()
		all := map[string]string{}
		for line := range strings.Lines(r.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/")) {
			ref, hash, _ := strings.Cut(strings.TrimSpace(line), " ")
			all[ref] = hash
		}
		if diff := cmp.Diff(all, refs.Hashes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got := asked(h); got != "POST" {
			t.Errorf("%s took %s", name, got)
		}
	}
	// Another credential is another matter.
	e := h.endpoint()
	e.Auth.BearerToken = "token"
	if _, err := c.Refs(t.Context(), e, git.Branches); err != nil {
		t.Fatal(err)
	}
	if got := asked(h); got != "GET POST" {
		t.Errorf("somebody else's first poll took %s", got)
	}
}

// TestHostsThatForgetVersion2 changes a host below a client that knows it speaks version 2.
func TestHostsThatForgetVersion2(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*host)
		asked  string // by a poll, and by a tree after it
	}{
		"an older version": {func(h *host) { h.old = true }, "POST GET, GET POST POST"},
		"no filter":        {func(h *host) { h.repository.git("config", "uploadpack.allowFilter", "false") }, "POST, POST GET POST"},
		"another place": {func(h *host) {
			h.before = func(w http.ResponseWriter, req *http.Request) bool {
				if strings.HasPrefix(req.URL.Path, "/repo/.git/") {
					return false
				}
				http.Redirect(w, req, strings.Replace(req.URL.String(), "/old", "/repo/.git", 1), http.StatusMovedPermanently)
				return true
			}
		}, "POST GET GET POST, POST POST"},
		"a strange answer": {func(h *host) {
			posts := 0
			h.before = func(w http.ResponseWriter, req *http.Request) bool {
				if req.Method != http.MethodPost || posts > 0 {
					return false
				}
				posts++
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				_, _ = w.Write([]byte("0032git upload-pack: protocol error, expected 'want'"))
				return true
			}
		}, "POST GET POST, POST POST"},
		"a wrong method": {func(h *host) {
			posts := 0
			h.before = func(w http.ResponseWriter, req *http.Request) bool {
				if req.Method != http.MethodPost || posts > 0 {
					return false
				}
				posts++
				w.WriteHeader(http.StatusMethodNotAllowed)
				return true
			}
		}, "POST GET POST, POST POST"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			head := r.commit(world)
			h, c := newHost(t, r), git.New(git.Options{Reach: git.Loopback})
			e := h.endpoint()
			if name == "another place" {
				e.URL = h.URL + "/old"
				h.before = func(w http.ResponseWriter, req *http.Request) bool {
					req.URL.Path = strings.Replace(req.URL.Path, "/old", "/repo/.git", 1)
					return false
				}
			}
			if _, err := c.Refs(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			asked(h)
			tc.change(h)
			refs, err := c.Refs(t.Context(), e)
			if err != nil || refs.Hashes[refs.Default] != head {
				t.Fatalf("got %+v, %v", refs, err)
			}
			poll := asked(h)
			tree, err := c.Tree(t.Context(), e, head, "tests")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(below(world, "tests"), contents(t, tree)); diff != "" {
				t.Error(diff)
			}
			if got := poll + ", " + asked(h); got != tc.asked {
				t.Errorf("took %s, want %s", got, tc.asked)
			}
		})
	}
}

func TestSSHTakesOneChannelForAllOfATree(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	h := newSSHHost(t, r)
	if _, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), h.endpoint(), head, "tests"); err != nil {
		t.Fatal(err)
	}
	if got := h.channels.Load(); got != 1 {
		t.Errorf("%d channels", got)
	}
}

func TestBusyHostsAreNotAskedForOtherRepositories(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	h, c := newHost(t, r), git.New(git.Options{Reach: git.Loopback})
	h.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	_, err := c.Refs(t.Context(), h.endpoint())
	if f := wantFault(t, err, fault.RateLimited); f.After != 100*time.Second {
		t.Errorf("after %s", f.After)
	}
	asked(h)
	other := h.endpoint()
	other.URL += "/other"
	_, refsErr := c.Refs(t.Context(), other)
	_, treeErr := c.Tree(t.Context(), other, head, "tests")
	for _, err := range []error{refsErr, treeErr} {
		if f := wantFault(t, err, fault.RateLimited); f.After <= 90*time.Second || f.After > 100*time.Second {
			t.Errorf("after %s", f.After)
		}
	}
	if got := asked(h); got != "" {
		t.Errorf("the host was asked: %s", got)
	}
}
