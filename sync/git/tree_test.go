package git_test

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

// contents gives every file of a tree.
func contents(t *testing.T, tree fs.FS) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, path)
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// world is a repository with tests and, beside them, what no test should have to pay for.
var world = map[string]string{
	"tests/kustomization.yaml":                      "resources: [api.yaml]\n",
	"tests/api.yaml":                                "kind: TestSuite\n",
	"tests/overlays/staging/kustomization.yaml":     "resources: [../..]\n",
	"tests/load/größe und mehr.js":                  "// names are UTF-8\n",
	"tests/about-lfs.md":                            "the first line of a pointer is\nversion https://git-lfs.github.com/spec/v1\n",
	"src/main.go":                                   "package main\n",
	"assets/" + strings.Repeat("deep/", 40) + "art": noise(300_000),
}

// noise does not compress.
func noise(n int) string {
	var b strings.Builder
	for x := uint64(1); b.Len() < n; {
		x = x*6364136223846793005 + 1442695040888963407
		b.WriteByte(byte(x >> 56))
	}
	return b.String()
}

func below(files map[string]string, path string) map[string]string {
	kept := maps.Clone(files)
	maps.DeleteFunc(kept, func(name, _ string) bool { return name != path && !strings.HasPrefix(name, path+"/") })
	return kept
}

func TestTreeHoldsTheFilesBelowThePath(t *testing.T) {
	for name, tc := range map[string]struct {
		partial  bool
		requests int
	}{
		"a host that leaves out blobs": {partial: true, requests: 3},
		"a host that sends everything": {partial: false, requests: 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			if !tc.partial {
				r.git("config", "uploadpack.allowFilter", "false")
			}
			r.commit(map[string]string{"history": noise(200_000)})
			r.write(map[string]string{"history": ""})
			head := r.commit(world)
			h := newHost(t, r)
			tree, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), h.endpoint(), head, "tests")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(below(world, "tests"), contents(t, tree)); diff != "" {
				t.Error(diff)
			}
			requests, sent := h.seen()
			if len(requests) != tc.requests {
				t.Errorf("took %q", requests)
			}
			if tc.partial && sent > 10_000 {
				t.Errorf("%d bytes for less than a kilobyte of tests", sent)
			}
			if !tc.partial && (sent < 300_000 || sent > 400_000) {
				t.Errorf("%d bytes, want one commit without its history", sent)
			}
		})
	}
}

func TestTreeFallsBackWhenTheHostGivesOutNoBlobs(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	h := newSSHHost(t, r)
	h.old = true
	tree, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), h.endpoint(), head, "tests")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(below(world, "tests"), contents(t, tree)); diff != "" {
		t.Error(diff)
	}
	// Over ssh a host with default settings refuses blobs: the third channel takes it all.
	if got := h.channels.Load(); got != 3 {
		t.Errorf("%d channels", got)
	}
}

func TestTreeIsAnFS(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	c, e := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{Depth: 50}}), newHost(t, r).endpoint()
	for path, expected := range map[string][]string{
		"tests":          {"tests/api.yaml", "tests/overlays/staging/kustomization.yaml"},
		"tests/overlays": {"tests/overlays/staging/kustomization.yaml"},
		"tests/api.yaml": {"tests/api.yaml"},
		"":               {"tests/api.yaml", "src/main.go"},
		".":              {"tests/api.yaml", "src/main.go"},
	} {
		tree, err := c.Tree(t.Context(), e, head, path)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(tree, expected...); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestTreeDoesNotChangeForOthers(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	tree, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), newHost(t, r).endpoint(), head, "tests")
	if err != nil {
		t.Fatal(err)
	}
	content, err := fs.ReadFile(tree, "tests/api.yaml")
	if err != nil {
		t.Fatal(err)
	}
	content[0] = 'X'
	if got := contents(t, tree)["tests/api.yaml"]; got != world["tests/api.yaml"] {
		t.Errorf("a reader changed it to %q", got)
	}
}

func TestTreeWithoutThePathIsEmpty(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"a": "1"})
	tree, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), newHost(t, r).endpoint(), head, "tests/overlays")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"tests", "tests/overlays"} {
		if _, err := fs.Stat(tree, path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTreeHashIsTheContents(t *testing.T) {
	r := newRepository(t)
	commits := []string{r.commit(world), r.commit(map[string]string{"src/main.go": "package other\n"}), r.commit(map[string]string{"tests/api.yaml": "kind: Other\n"})}
	c, e := git.New(git.Options{Reach: git.Loopback}), newHost(t, r).endpoint()
	hash := func(commit, path string) string {
		tree, err := c.Tree(t.Context(), e, commit, "tests")
		if err != nil {
			t.Fatal(err)
		}
		got, ok := tree.(git.TreeHasher).TreeHash(path)
		if want := r.git("rev-parse", commit+":"+strings.TrimPrefix(path, ".")); !ok || got != want {
			t.Errorf("%s of %s is %q, Git says %q", path, commit, got, want)
		}
		return got
	}
	if hash(commits[0], "tests") != hash(commits[1], "tests") {
		t.Error("a change elsewhere changes the hash of tests")
	}
	if hash(commits[1], "tests") == hash(commits[2], "tests") {
		t.Error("a change in tests leaves its hash alone")
	}
	hash(commits[0], ".")
	tree, err := c.Tree(t.Context(), e, commits[0], "tests")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tree.(git.TreeHasher).TreeHash("src"); ok {
		t.Error("a folder that was not read has a hash")
	}
}

func TestLinksAreListedAndNotFollowed(t *testing.T) {
	r := newRepository(t)
	inside := r.tree(
		entry{"100755", "run.sh", r.blob("#!/bin/sh\n")},
		entry{"120000", "secret", r.blob("/etc/passwd")},
		entry{"160000", "vendored", strings.Repeat("1", 40)},
	)
	head := r.point(r.tree(entry{"40000", "tests", inside}))
	tree, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), newHost(t, r).endpoint(), head, "tests")
	if err != nil {
		t.Fatal(err)
	}
	list, err := fs.ReadDir(tree, "tests")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range list {
		info, err := d.Info()
		if err != nil {
			t.Fatal(err)
		}
		got[d.Name()] = info.Mode().String()
	}
	want := map[string]string{"run.sh": "-r-xr-xr-x", "secret": "Lr--r--r--", "vendored": "?r--r--r--"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"tests/secret", "tests/vendored"} {
		_, err := fs.ReadFile(tree, name)
		f := wantFault(t, err, fault.SymlinkRefused)
		if f.Place.File != name || f.Place.Commit != head {
			t.Errorf("the fault is at %v", f.Place)
		}
		_, err = tree.Open(name)
		wantFault(t, err, fault.SymlinkRefused)
	}
}

// A test that gets a pointer for its data fails in odd ways, so it does not get it.
func TestPointersOfGitLFSAreNotGivenOut(t *testing.T) {
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("0", 64) + "\nsize 9\n"
	r := newRepository(t)
	head := r.commit(map[string]string{
		"tests/data.bin": pointer, "tests/old.bin": strings.Replace(pointer, "git-lfs", "hawser", 1),
		"tests/long": pointer + strings.Repeat("\n", 1024), "tests/a": "1",
	})
	tree, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), newHost(t, r).endpoint(), head, "tests")
	if err != nil {
		t.Fatal(err)
	}
	local, err := openLocal(t, r.dir).Tree(head, "tests")
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range []fs.FS{tree, local} {
		for _, name := range []string{"tests/data.bin", "tests/old.bin"} {
			_, err := fs.ReadFile(tree, name)
			if f := wantFault(t, err, fault.InvalidCatalog); f.Place.File != name || !strings.Contains(f.Remedy, "content.paths") {
				t.Errorf("the fault is %v", f)
			}
			_, err = tree.Open(name)
			wantFault(t, err, fault.InvalidCatalog)
		}
		for _, name := range []string{"tests/long", "tests/a"} {
			if _, err := fs.ReadFile(tree, name); err != nil {
				t.Error(err)
			}
		}
	}
}

// wantFault checks the reason of an error, and what holds for every fault of the package.
func wantFault(t *testing.T, err error, reason fault.Reason) *fault.Fault {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want %s", err, reason)
	}
	if f.Reason != reason {
		t.Fatalf("got %s: %v, want %s", f.Reason, err, reason)
	}
	for _, secret := range []string{"hunter2", "token"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q holds a secret", err)
		}
	}
	return f
}
