package git_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/sync/git"
)

func TestCacheAsksOnce(t *testing.T) {
	r := newRepository(t)
	base := r.commit(map[string]string{"tests/a": "1"})
	head := r.commit(map[string]string{"tests/a": "2"})
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{}), 1<<20)
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
	c := git.NewCache(git.New(git.Options{}), 1<<20)
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
		commits = append(commits, r.commit(map[string]string{"tests/a": noise(10_000), "n": strings.Repeat("x", 1+len(commits))}))
	}
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{}), 25_000) // room for two
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
	c := git.NewCache(git.New(git.Options{}), 1<<20)
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
	c := git.NewCache(git.New(git.Options{}), 1<<20)
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
