package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func removeFolder(r *repository, name string) error { return os.RemoveAll(filepath.Join(r.dir, name)) }

func openLocal(t *testing.T, dir string) *git.Local {
	t.Helper()
	l, err := git.OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLocalReadsTheWorkingCopyAFolderLiesIn(t *testing.T) {
	r := newRepository(t)
	head := r.commit(world)
	r.git("tag", "-a", "-m", "release", "v1")
	r.commit(map[string]string{"later": "1"})
	r.git("worktree", "add", "-q", "-b", "linked", filepath.Join(r.dir, "..", "linked"))
	for _, dir := range []string{"tests/overlays/staging", "../linked/tests"} {
		l := openLocal(t, filepath.Join(r.dir, dir))
		if got, err := l.Resolve("v1"); got != head || err != nil {
			t.Errorf("v1 is %q, %v", got, err)
		}
		if got, err := l.Head(); got != r.git("rev-parse", "HEAD") || err != nil {
			t.Errorf("head is %q, %v", got, err)
		}
		tree, err := l.Tree(head, "tests")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(below(world, "tests"), contents(t, tree)); diff != "" {
			t.Error(diff)
		}
	}
	_, err := git.OpenLocal(t.TempDir())
	wantFault(t, err, fault.RepositoryNotFound)
	_, err = openLocal(t, r.dir).Resolve("nowhere")
	wantFault(t, err, fault.RefNotFound)
	_, err = openLocal(t, r.dir).Tree(strings.Repeat("1", 40), "tests")
	wantFault(t, err, fault.RefNotFound)
}

func TestMergeBaseIsGits(t *testing.T) {
	r := newRepository(t)
	r.commit(map[string]string{"a": "1"})
	r.git("checkout", "-q", "-b", "topic")
	r.commit(map[string]string{"t": "1"})
	r.git("checkout", "-q", "main")
	r.commit(map[string]string{"m": "1"})
	r.git("checkout", "-q", "-b", "merged", "topic")
	r.git("merge", "-q", "-m", "up to date", "main")
	r.git("checkout", "-q", "main")
	r.commit(map[string]string{"m": "2"})
	r.git("checkout", "-q", "--orphan", "apart")
	r.commit(map[string]string{"z": "1"})
	l := openLocal(t, r.dir)
	resolve := func(name string) string {
		hash, err := l.Resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	for _, pair := range [][2]string{{"main", "topic"}, {"main", "merged"}, {"merged", "main"}, {"main", "main"}, {"main~1", "main"}, {"topic", "merged"}} {
		got, err := l.MergeBase(resolve(pair[0]), resolve(pair[1]))
		if want := r.git("merge-base", pair[0], pair[1]); got != want || err != nil {
			t.Errorf("%v: %q, %v, Git says %q", pair, got, err, want)
		}
	}
	_, err := l.MergeBase(resolve("main"), resolve("apart"))
	wantFault(t, err, fault.RefNotFound)

	shallow := filepath.Join(t.TempDir(), "shallow")
	r.git("clone", "-q", "--depth=1", "--no-single-branch", "file://"+r.dir, shallow)
	s := openLocal(t, shallow)
	_, err = s.MergeBase(resolve("main"), resolve("topic"))
	if f := wantFault(t, err, fault.RefNotFound); !strings.Contains(f.Remedy, "--unshallow") {
		t.Errorf("remedy is %q", f.Remedy)
	}
}

func TestChangedInWorkTreeIsWhatGitSees(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	r := newRepository(t)
	base := r.commit(map[string]string{
		".gitignore": "*.log\nbuild/\n!keep.log\n", "same": "1", "edited": "1", "deleted": "1", "dir/.gitignore": "/local\n",
		"dir/same": "1", "becomes": "a file", "run.sh": "#!/bin/sh\n", "staged": "1",
	})
	r.write(map[string]string{"build/tracked": "1"})
	r.git("add", "-f", "build/tracked")
	r.git("commit", "-q", "-m", "more")
	middle := r.git("rev-parse", "HEAD")
	r.write(map[string]string{
		"edited": "2", "deleted": "", "untracked": "1", "noise.log": "1", "keep.log": "1", "build/output": "1", "dir/local": "1",
		"dir/other": "1", "becomes": "", "staged": "2", "build/tracked": "2", ".git/info/exclude": "private\n", "private": "1",
	})
	r.write(map[string]string{"becomes/a folder": "1"})
	r.git("add", "staged")
	if err := os.Chmod(filepath.Join(r.dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("same", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	want := []string{"becomes", "becomes/a folder", "build/tracked", "deleted", "dir/other", "edited", "keep.log", "link", "run.sh", "staged", "untracked"}
	l := openLocal(t, filepath.Join(r.dir, "dir"))
	for _, commit := range []string{base, middle} {
		got, err := l.ChangedInWorkTree(commit, "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	got, err := l.ChangedInWorkTree(base, "dir")
	if diff := cmp.Diff([]string{"dir/other"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	_, err = l.ChangedInWorkTree(strings.Repeat("1", 40), "")
	wantFault(t, err, fault.RefNotFound)
}

func TestChangedInWorkTreeTrustsTheIndexAboutConversions(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	r := newRepository(t)
	r.git("config", "core.autocrlf", "true")
	base := r.commit(map[string]string{".gitattributes": "* text\n", "a": "one\r\ntwo\r\n", "b": "1\r\n"})
	// The index must be younger than the files for Git, and for us, to trust it.
	index, err := os.Stat(filepath.Join(r.dir, ".git", "index"))
	if err != nil {
		t.Fatal(err)
	}
	past := index.ModTime().Add(-3 * time.Second)
	for _, name := range []string{".gitattributes", "a", "b"} {
		if err := os.Chtimes(filepath.Join(r.dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	r.git("update-index", "--refresh")
	r.write(map[string]string{"b": "2\r\n"})
	got, err := openLocal(t, r.dir).ChangedInWorkTree(base, "")
	if diff := cmp.Diff([]string{"b"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestSubmodulesAndNestedRepositoriesAreNotEntered(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	inner := newRepository(t)
	inner.commit(map[string]string{"a": "1"})
	r := newRepository(t)
	r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.dir, "vendored")
	base := r.commit(map[string]string{"a": "1"})
	r.git("init", "-q", "nested")
	r.write(map[string]string{"nested/file": "1", "vendored/dirty": "1"})
	l := openLocal(t, r.dir)
	if got, err := l.ChangedInWorkTree(base, ""); len(got) != 0 || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	r.git("-C", "vendored", "commit", "-q", "--allow-empty", "-m", "moves on")
	if got, err := l.ChangedInWorkTree(base, ""); len(got) != 1 || got[0] != "vendored" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
