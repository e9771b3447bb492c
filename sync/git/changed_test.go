package git_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestChangedListsWhatDiffers(t *testing.T) {
	for _, filter := range []string{"true", "false"} {
		r := newRepository(t)
		r.git("config", "uploadpack.allowFilter", filter)
		base := r.commit(map[string]string{
			"same/deep/file": "1", "edited": "1", "deleted/file": "1", "old name": "moved", "folder/file": "1",
			"asset": noise(100_000), "run.sh": "#!/bin/sh\n",
		})
		r.write(map[string]string{"edited": "2", "deleted/file": "", "old name": "", "new/name": "moved", "folder/file": ""})
		r.git("rm", "-q", "-r", "--cached", "folder")
		r.git("update-index", "--chmod=+x", "run.sh")
		r.git("config", "core.fileMode", "false")
		if err := removeFolder(r, "folder"); err != nil {
			t.Fatal(err)
		}
		head := r.commit(map[string]string{"folder": "now a file", "größe": "1"})
		h := newHost(t, r)
		paths, known, err := git.New(git.Options{Reach: git.Loopback}).Changed(t.Context(), h.endpoint(), base, head)
		if err != nil || !known {
			t.Fatalf("known %v, error %v", known, err)
		}
		want := []string{"deleted/file", "edited", "folder", "folder/file", "größe", "new/name", "old name", "run.sh"}
		if diff := cmp.Diff(want, paths); diff != "" {
			t.Errorf("filter %s: %s", filter, diff)
		}
		if requests, sent := h.seen(); len(requests) != 2 || filter == "true" && sent > 5000 {
			t.Errorf("filter %s: %d bytes in %q", filter, sent, requests)
		}
		paths, known, err = git.New(git.Options{Reach: git.Loopback}).Changed(t.Context(), h.endpoint(), head, head)
		if len(paths) != 0 || !known || err != nil {
			t.Errorf("a commit differs from itself: %q, %v, %v", paths, known, err)
		}
	}
}

func TestChangedWithoutABaseIsUnknown(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	gone := r.commit(map[string]string{"a": "2"})
	r.git("reset", "-q", "--hard", "HEAD~1")
	head := r.commit(map[string]string{"a": "3"}) // a force push
	r.git("reflog", "expire", "--expire=now", "--all")
	r.git("gc", "-q", "--prune=now")
	c, e := git.New(git.Options{Reach: git.Loopback}), newHost(t, r).endpoint()
	for name, base := range map[string]string{"force-pushed away": gone, "a new branch": strings.Repeat("0", 40), "none": ""} {
		paths, known, err := c.Changed(t.Context(), e, base, head)
		if len(paths) != 0 || known || err != nil {
			t.Errorf("%s: %q, %v, %v", name, paths, known, err)
		}
	}
	r.git("tag", "-a", "-m", "release", "v1")
	tag := r.git("rev-parse", "v1") // an object, but no commit
	if _, known, err := c.Changed(t.Context(), e, tag, head); known || err != nil {
		t.Errorf("a tag for a base: %v, %v", known, err)
	}
	_, _, err := c.Changed(t.Context(), e, head, tag)
	wantFault(t, err, fault.RefNotFound)
	_, err = c.Tree(t.Context(), e, tag, "tests")
	wantFault(t, err, fault.RefNotFound)
	for name, call := range map[string]func() error{
		"changed": func() error { _, _, err := c.Changed(t.Context(), e, head, gone); return err },
		"tree":    func() error { _, err := c.Tree(t.Context(), e, gone, "tests"); return err },
	} {
		if f := wantFault(t, call(), fault.RefNotFound); f.Place.Commit != gone {
			t.Errorf("%s: the fault is at %v", name, f.Place)
		}
	}
}

// Over https Git gives out every commit that a ref leads to, not only the newest.
func TestOlderCommitsCanBeRead(t *testing.T) {
	r := newRepository(t)
	old := r.commit(map[string]string{"tests/a": "1"})
	head := r.commit(map[string]string{"tests/a": "2"})
	c, e := git.New(git.Options{Reach: git.Loopback}), newHost(t, r).endpoint()
	tree, err := c.Tree(t.Context(), e, old, "tests")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"tests/a": "1"}, contents(t, tree)); diff != "" {
		t.Error(diff)
	}
	if paths, known, err := c.Changed(t.Context(), e, old, head); len(paths) != 1 || !known || err != nil {
		t.Errorf("%q, %v, %v", paths, known, err)
	}
}

func TestNamesThatAreNotUTF8AreMadeSo(t *testing.T) {
	r := newRepository(t)
	base := r.point(r.tree(entry{"100644", "a\xffb", r.blob("1")}))
	head := r.point(r.tree(entry{"100644", "a\xffb", r.blob("2")}))
	r.git("update-ref", "refs/heads/base", base)
	paths, _, err := git.New(git.Options{Reach: git.Loopback}).Changed(t.Context(), newHost(t, r).endpoint(), base, head)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a\uFFFDb"}, paths); diff != "" {
		t.Error(diff)
	}
}
