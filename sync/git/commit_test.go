package git_test

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestCommitIsWhatGitStores(t *testing.T) {
	r := newRepository(t)
	files := map[string]string{}
	for _, name := range strings.Fields("a b c d e f g h") {
		files[strings.Repeat(name+"/", 20)+"file"] = name
	}
	head := r.commit(files)
	want := r.git("cat-file", "commit", head) + "\n"
	https, ssh := newHost(t, r), newSSHHost(t, r)
	read := func(e git.Endpoint) {
		t.Helper()
		got, err := git.New(git.Options{Reach: git.Loopback}).Commit(t.Context(), e, head)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", e.URL, got, err, want)
		}
	}
	read(https.endpoint())
	_, alone := https.seen()
	read(ssh.endpoint())
	// Hosts that allow some filters, or none.
	r.git("config", "uploadpackfilter.tree.allow", "false")
	read(https.endpoint())
	_, withTrees := https.seen()
	if alone >= withTrees {
		t.Errorf("a commit alone takes %d bytes, with its trees %d", alone, withTrees)
	}
	r.git("config", "uploadpack.allowFilter", "false")
	read(https.endpoint())

	_, err := git.New(git.Options{Reach: git.Loopback}).Commit(t.Context(), https.endpoint(), strings.Repeat("1", 40))
	wantFault(t, err, fault.RefNotFound)
	_, err = git.New(git.Options{Reach: git.Loopback}).Commit(t.Context(), https.endpoint(), r.git("rev-parse", "HEAD^{tree}"))
	wantFault(t, err, fault.RefNotFound)
}

func TestCommitsAreBoundAndCached(t *testing.T) {
	r := newRepository(t)
	small := r.commit(map[string]string{"a": "1"})
	r.feed(strings.Repeat("long ", 1<<18), "commit", "-q", "--allow-empty", "-F", "-")
	large := r.git("rev-parse", "HEAD")
	h := newHost(t, r)
	c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 1<<20)
	_, err := c.Commit(t.Context(), h.endpoint(), large)
	wantFault(t, err, fault.LimitExceeded)
	if _, err := c.Commit(t.Context(), h.endpoint(), small); err != nil {
		t.Fatal(err)
	}
	h.seen()
	if _, err := c.Commit(t.Context(), h.endpoint(), small); err != nil {
		t.Fatal(err)
	}
	if requests, _ := h.seen(); len(requests) > 0 {
		t.Errorf("asked again: %q", requests)
	}
}
