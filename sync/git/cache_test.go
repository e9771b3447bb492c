package git_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestCacheAsksOnce(t *testing.T) {
	r := newRepository(t)
	base := r.commit(map[string]string{"tests/a": "1"})
	head := r.commit(map[string]string{"tests/a": "2"})
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 1<<20)
	for i := range 3 {
		tree, err := c.Tree(t.Context(), h.endpoint(), head, "tests")
		if err != nil {
			t.Fatal(err)
		}
		if content, err := fs.ReadFile(tree, "tests/a"); string(content) != "2" {
			t.Errorf("got %q, %v", content, err)
		}
		paths, known, err := c.Changed(t.Context(), h.endpoint(), base, head)
		if len(paths) != 1 || !known || err != nil {
			t.Errorf("got %q, %v, %v", paths, known, err)
		}
		if requests, _ := h.seen(); i > 0 && len(requests) > 0 {
			t.Errorf("round %d took %q", i, requests)
		}
	}
}

func TestCacheGivesNothingToAnotherCredential(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"tests/a": "secret"})
	h := newHost(t, r)
	h.user, h.password = "robot", "token"
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 1<<20)
	if _, err := c.Tree(t.Context(), h.endpoint(), head, "tests"); err != nil {
		t.Fatal(err)
	}
	stranger := h.endpoint()
	stranger.Auth.Password = "guess"
	if _, err := c.Tree(t.Context(), stranger, head, "tests"); err == nil {
		t.Error("a stranger reads what somebody else's credential paid for")
	}
}

func TestCacheForgetsTheLeastRecentlyUsed(t *testing.T) {
	r := newRepository(t)
	var commits []string
	for range 3 {
		commits = append(commits, r.commit(map[string]string{"tests/a": noise(10_000 + len(commits))}))
	}
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 30_000) // room for two
	asked := func(commit string) bool {
		h.seen()
		if _, err := c.Tree(t.Context(), h.endpoint(), commit, "tests"); err != nil {
			t.Fatal(err)
		}
		requests, _ := h.seen()
		return len(requests) > 0
	}
	for i, step := range []struct {
		commit string
		asks   bool
	}{{commits[0], true}, {commits[1], true}, {commits[0], false}, {commits[2], true}, {commits[0], false}, {commits[1], true}} {
		if got := asked(step.commit); got != step.asks {
			t.Errorf("step %d: asked the host is %v", i, got)
		}
	}
}

func TestCacheForgetsFailuresAndTheUnknown(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"tests/a": "1"})
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 1<<20)
	h.before = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	if _, err := c.Tree(t.Context(), h.endpoint(), head, "tests"); err == nil {
		t.Error("a failing host has an answer")
	}
	h.before = nil
	if _, err := c.Tree(t.Context(), h.endpoint(), head, "tests"); err != nil {
		t.Error(err)
	}
	for range 2 {
		h.seen()
		_, known, err := c.Changed(t.Context(), h.endpoint(), strings.Repeat("1", 40), head)
		if requests, _ := h.seen(); known || err != nil || len(requests) == 0 {
			t.Errorf("known %v, %v, took %q", known, err, requests)
		}
	}
}

func TestCacheSharesOneCall(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"tests/a": "1"})
	h := newHost(t, r)
	answer := make(chan struct{})
	h.before = func(http.ResponseWriter, *http.Request) bool { <-answer; return false }
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 1<<20)
	var waiting, done sync.WaitGroup
	errs := make([]error, 4)
	first, giveUp := context.WithCancel(t.Context())
	for i := range errs {
		ctx := t.Context()
		if i == 0 {
			ctx = first
		}
		waiting.Add(1)
		done.Go(func() {
			_, errs[i] = c.Tree(joined{ctx, sync.OnceFunc(waiting.Done)}, h.endpoint(), head, "tests")
		})
		waiting.Wait()
	}
	giveUp()
	close(answer)
	done.Wait()
	if errs[0] != nil && !errors.Is(errs[0], context.Canceled) {
		t.Errorf("who gave up has %v", errs[0])
	}
	if err := errors.Join(errs[1:]...); err != nil {
		t.Error(err)
	}
	if requests, _ := h.seen(); len(requests) != 3 {
		t.Errorf("took %q", requests)
	}
}

// TestCacheReadsWhatIsNew counts what a change costs, on a repository whose folders are known.
func TestCacheReadsWhatIsNew(t *testing.T) {
	for _, tc := range []struct {
		name   string
		filter string
		change map[string]string
		// requests of Tree, and the bytes sent for it at most
		requests, bytes int
	}{
		{"elsewhere: one fetch of what changed, and no file", "true", map[string]string{"src/main.go": "package other\n"}, 1, 2500},
		{"elsewhere, on a host that cannot leave out files: everything, once", "false", map[string]string{"src/main.go": "package other\n"}, 1, 400_000},
		{"in the tests: their files too", "true", map[string]string{"tests/api.yaml": "kind: Other\n"}, 2, 4000},
		{"in the tests, on a host that cannot leave out files: everything, once", "false", map[string]string{"tests/api.yaml": "kind: Other\n"}, 1, 400_000},
		{"back to what was there before: nothing but the commit", "true", nil, 1, 2500},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRepository(t)
			r.git("config", "uploadpack.allowFilter", tc.filter)
			files := map[string]string{}
			for i := range 60 { // folders that would be sent again if the host were not told of them
				files[fmt.Sprintf("lib/%d/a", i)] = noise(100 + i)
			}
			r.commit(files)
			base := r.commit(world)
			h := newHost(t, r)
			c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 8<<20)
			read(t, c, h, base)
			head := r.commit(tc.change)
			h.seen()
			tree := read(t, c, h, head)
			requests, sent := h.seen()
			if len(requests) != tc.requests || sent > tc.bytes {
				t.Errorf("Tree took %d bytes in %q", sent, requests)
			}
			want := maps.Clone(world)
			maps.Copy(want, tc.change)
			if diff := cmp.Diff(below(want, "tests"), contents(t, tree)); diff != "" {
				t.Error(diff)
			}
			paths, known, err := c.Changed(t.Context(), h.endpoint(), base, head)
			if diff := cmp.Diff(slices.Collect(maps.Keys(tc.change)), paths); diff != "" || !known || err != nil {
				t.Error(diff, known, err)
			}
			read(t, c, h, base)
			if requests, _ := h.seen(); len(requests) > 0 {
				t.Errorf("Changed, and Tree of the base, took %q", requests)
			}
			_, err = fs.ReadFile(tree, "tests/none")
			if tree, ok := tree.(git.TreeHasher); !ok || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%T is no tree as others, or has %v", tree, err)
			}
		})
	}
}

func read(t testing.TB, c *git.Cache, h *host, commit string) fs.FS {
	t.Helper()
	tree, err := c.Tree(t.Context(), h.endpoint(), commit, "tests")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// What Changed fetched serves Tree: only files are missing.
func TestCacheReadsTheFoldersOfACommitOnce(t *testing.T) {
	r := newRepository(t)
	base := r.commit(world)
	head := r.commit(map[string]string{"src/main.go": "package other\n"})
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 8<<20)
	if _, _, err := c.Changed(t.Context(), h.endpoint(), base, head); err != nil {
		t.Fatal(err)
	}
	h.seen()
	read(t, c, h, head)
	if requests, sent := h.seen(); len(requests) != 1 || sent > 3000 {
		t.Errorf("Tree took %d bytes in %q", sent, requests)
	}
	read(t, c, h, base)
	if requests, _ := h.seen(); len(requests) > 0 {
		t.Errorf("the same files took %q", requests)
	}
}

// The same files under another commit are that commit's: faults name it.
func TestCacheKeepsCommitsApart(t *testing.T) {
	r := newRepository(t)
	tests := r.tree(entry{"120000", "link", r.blob("/etc/passwd")})
	commits := []string{r.point(r.tree(entry{"40000", "tests", tests}))}
	commits = append(commits, r.point(r.tree(entry{"100644", "a", r.blob("1")}, entry{"40000", "tests", tests})))
	// A folder's name given to a file must not bring the folder back.
	r.git("update-ref", "refs/heads/other", commits[0])
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 8<<20)
	for range 2 {
		for _, commit := range commits {
			_, err := fs.ReadFile(read(t, c, h, commit), "tests/link")
			if f := wantFault(t, err, fault.SymlinkRefused); f.Place.Commit != commit {
				t.Errorf("the fault is at %q, want %q", f.Place.Commit, commit)
			}
		}
	}
}

func TestCacheHoldsNoMoreThanItsBudget(t *testing.T) {
	r := newRepository(t)
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 20_000)
	for i := range 12 {
		commit := r.commit(map[string]string{"tests/a": noise(3000 + i), fmt.Sprintf("src/%d/%d", i, i): "1"})
		read(t, c, h, commit)
		if used := git.CacheUses(c); used > 20_000 || used < 3000 {
			t.Fatalf("after %d commits it takes %d bytes", i+1, used)
		}
	}
	if _, err := c.Tree(t.Context(), h.endpoint(), r.commit(map[string]string{"tests/a": noise(30_000)}), "tests"); err != nil {
		t.Fatal(err)
	}
	if used := git.CacheUses(c); used < 3000 {
		t.Error("what is too big for it drove out the rest")
	}
}
