package git_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestRefsListsBranchesTagsAndHeadsOfRequests(t *testing.T) {
	r := newRepository(t)
	first := r.commit(map[string]string{"a": "1"})
	r.git("tag", "-a", "-m", "release", "v1")
	second := r.commit(map[string]string{"a": "2"})
	r.git("update-ref", "refs/pull/7/head", first)
	r.git("update-ref", "refs/pull/7/merge", second)
	r.git("update-ref", "refs/merge-requests/3/head", second)
	r.git("update-ref", "refs/notes/commits", second)
	h := newHost(t, r)
	h.old, h.user, h.password = true, "robot", "token"

	refs, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), h.endpoint(), git.Branches, git.Tags, git.PullRequests, git.MergeRequests)
	if err != nil {
		t.Fatal(err)
	}
	want := git.Refs{Default: "refs/heads/main", Hashes: map[string]string{
		"refs/heads/main": second, "refs/tags/v1": first, "refs/pull/7/head": first, "refs/merge-requests/3/head": second,
	}}
	if diff := cmp.Diff(want, refs); diff != "" {
		t.Error(diff)
	}
	if requests, _ := h.seen(); len(requests) != 1 {
		t.Errorf("took %q, want exactly one request", requests)
	}
}

func TestRefsOfAnEmptyRepositoryAreNone(t *testing.T) {
	r := newRepository(t)
	for _, e := range []git.Endpoint{newHost(t, r).endpoint(), newSSHHost(t, r).endpoint()} {
		refs, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if refs.Default != "" || len(refs.Hashes) != 0 {
			t.Errorf("%s: got %+v", e.URL, refs)
		}
		_, err = git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), e, strings.Repeat("1", 40), "tests")
		wantFault(t, err, fault.RefNotFound)
	}
}

func TestDefaultOfADetachedHeadIsTheBranchThatStandsThere(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	r.git("checkout", "-q", "--detach")
	r.git("branch", "-m", "main", "trunk")
	h, c := newHost(t, r), git.New(git.Options{Reach: git.Loopback})
	for _, want := range []string{"refs/heads/trunk", ""} {
		refs, err := c.Refs(t.Context(), h.endpoint())
		if err != nil {
			t.Fatal(err)
		}
		if refs.Default != want {
			t.Errorf("default is %q, want %q", refs.Default, want)
		}
		r.commit(map[string]string{"a": "2"}) // now HEAD is on no branch
	}
}

// joined tells when somebody begins to wait for the context.
type joined struct {
	context.Context
	tell func()
}

func (j joined) Done() <-chan struct{} {
	j.tell()
	return j.Context.Done()
}

func TestConcurrentRefsShareOneRequest(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	h := newHost(t, r)
	answer := make(chan struct{})
	h.before = func(http.ResponseWriter, *http.Request) bool {
		<-answer
		return false
	}
	c := git.New(git.Options{Reach: git.Loopback})
	var waiting, done sync.WaitGroup
	errs := make([]error, 6)
	first, giveUp := context.WithCancel(t.Context())
	for i := range errs {
		ctx := t.Context()
		if i == 0 {
			ctx = first
		}
		waiting.Add(1)
		done.Go(func() { _, errs[i] = c.Refs(joined{ctx, sync.OnceFunc(waiting.Done)}, h.endpoint()) })
		waiting.Wait()
	}
	giveUp() // the caller who came first; the others still get their answer
	close(answer)
	done.Wait()
	for i, err := range errs[1:] {
		if err != nil {
			t.Errorf("caller %d: %v", i+1, err)
		}
	}
	if requests, _ := h.seen(); len(requests) != 2 {
		t.Errorf("%q for six callers", requests)
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"a": "1"})
	h := newHost(t, r)
	h.before = func(w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Path != "/repo/info/refs" {
			return false
		}
		http.Redirect(w, req, "/repo/.git/info/refs?"+req.URL.RawQuery, http.StatusMovedPermanently)
		return true
	}
	e := h.endpoint()
	e.URL = h.URL + "/repo"
	c := git.New(git.Options{Reach: git.Loopback})
	refs, err := c.Refs(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if refs.Hashes["refs/heads/main"] != head {
		t.Errorf("got %+v", refs)
	}
	// What follows goes to where the redirect led.
	if _, err := c.Tree(t.Context(), e, head, ""); err != nil {
		t.Error(err)
	}
}

// BenchmarkRefs is a poll of a real server that finds nothing new, in each version, with
// 1,000 branches of which all or only the default one are wanted.
func BenchmarkRefs(b *testing.B) {
	r := newRepository(b)
	head := r.commit(map[string]string{"a": "1"})
	update := ""
	for i := range 1000 {
		update += fmt.Sprintf("create refs/heads/b%d %s\n", i, head)
	}
	r.feed(update, "update-ref", "--stdin")
	for name, tc := range map[string]struct {
		old      bool
		prefixes []string
	}{
		"version 0":                 {true, []string{git.Branches}},
		"version 2":                 {false, []string{git.Branches}},
		"version 2, default branch": {false, nil},
	} {
		b.Run(name, func(b *testing.B) {
			h := newHost(b, r)
			h.old = tc.old
			c := git.New(git.Options{Reach: git.Loopback})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Refs(b.Context(), h.endpoint(), tc.prefixes...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
