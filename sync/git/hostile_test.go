package git_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

// named is a repository whose tests hold a file of the name.
func named(name string) func(r *repository) string {
	return func(r *repository) string {
		return r.tree(entry{"40000", "tests", r.tree(entry{"100644", name, r.blob("x")})})
	}
}

// within is a repository whose tests are the entries.
func within(entries func(r *repository) []entry) func(r *repository) string {
	return func(r *repository) string { return r.tree(entry{"40000", "tests", r.tree(entries(r)...)}) }
}

// hostile is repositories that no honest Git writes, each as the tree of its commit. What git
// itself refuses to send is in [TestHostilePacks].
var hostile = []struct {
	name string
	tree func(r *repository) string
	// want is the fault of reading the tests; "" when they can be read.
	want fault.Reason
	// file, if any, cannot be opened for the reason opening.
	file    string
	opening fault.Reason
}{
	{name: "..", tree: named(".."), want: fault.InvalidCatalog},
	{name: ".", tree: named("."), want: fault.InvalidCatalog},
	{name: "a path that leads out", tree: named("../../etc/passwd"), want: fault.InvalidCatalog},
	{name: "an absolute path", tree: named("/etc/passwd"), want: fault.InvalidCatalog},
	{name: ".git", tree: named(".git"), want: fault.InvalidCatalog},
	{name: ".GIT", tree: named(".GIT"), want: fault.InvalidCatalog},
	{name: ".git, as NTFS shortens it", tree: named("GIT~1"), want: fault.InvalidCatalog},
	{name: ".git, as NTFS trims it", tree: named(".git . ."), want: fault.InvalidCatalog},
	{name: ".git, as a stream of NTFS", tree: named(".git::$INDEX_ALLOCATION"), want: fault.InvalidCatalog},
	{name: ".git, as HFS+ sees it", tree: named(".g\u200ci\ufefft"), want: fault.InvalidCatalog},
	{name: "a backslash", tree: named(`..\..\etc`), want: fault.InvalidCatalog},
	{name: "a line break", tree: named("a\nb"), want: fault.InvalidCatalog},
	{name: "an escape of a terminal", tree: named("a\x1b[2Jb"), want: fault.InvalidCatalog},
	{name: "no UTF-8", tree: named("\xff\xfe"), want: fault.InvalidCatalog},
	{name: "a very long name", tree: named(strings.Repeat("n", 5000)), want: fault.InvalidCatalog},
	{name: "a name twice", want: fault.InvalidCatalog, tree: within(func(r *repository) []entry {
		return []entry{{"100644", "a", r.blob("x")}, {"120000", "a", r.blob("/etc")}}
	})},
	{name: "a file and a folder of one name", want: fault.InvalidCatalog, tree: within(func(r *repository) []entry {
		return []entry{{"100644", "a", r.blob("x")}, {"100644", "b", r.blob("x")}, {"40000", "a", r.tree(entry{"100644", "c", r.blob("x")})}}
	})},
	{name: "names out of order", tree: within(func(r *repository) []entry {
		return []entry{{"100644", "z", r.blob("x")}, {"100644", "a", r.blob("y")}}
	})},
	{name: "modes that Git does not write", tree: within(func(r *repository) []entry {
		return []entry{{"100664", "a", r.blob("x")}, {"100777", "b", r.blob("x")}}
	})},
	{name: "a symlink to the host's files", file: "tests/a", opening: fault.SymlinkRefused, tree: within(func(r *repository) []entry {
		return []entry{{"120000", "a", r.blob("/etc/passwd")}}
	})},
	{name: "a symlink to itself", file: "tests/a", opening: fault.SymlinkRefused, tree: within(func(r *repository) []entry {
		return []entry{{"120000", "a", r.blob("a")}}
	})},
	{name: "a symlink for the folder of the tests", file: "tests", opening: fault.SymlinkRefused, tree: func(r *repository) string {
		return r.tree(entry{"120000", "tests", r.blob("/etc")})
	}},
	{name: "a submodule for the folder of the tests", file: "tests", opening: fault.SymlinkRefused, tree: func(r *repository) string {
		return r.tree(entry{"160000", "tests", strings.Repeat("1", 40)})
	}},
	{name: "a pointer of Git LFS", file: "tests/a", opening: fault.InvalidCatalog, tree: within(func(r *repository) []entry {
		return []entry{{"100644", "a", r.blob("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")}}
	})},
	{name: "a tree bomb", want: fault.LimitExceeded, tree: func(r *repository) string {
		level := r.tree(entry{"100644", "leaf", r.blob("x")})
		for range 20 {
			var same []entry
			for i := range 10 {
				same = append(same, entry{"40000", fmt.Sprint(i), level})
			}
			level = r.tree(same...)
		}
		return r.tree(entry{"40000", "tests", level})
	}},
	{name: "folders nested deep", want: fault.LimitExceeded, tree: func(r *repository) string {
		level := r.tree(entry{"100644", "leaf", r.blob("x")})
		for range 300 {
			level = r.tree(entry{"40000", "d", level})
		}
		return r.tree(entry{"40000", "tests", level})
	}},
	{name: "a huge file", want: fault.LimitExceeded, tree: func(r *repository) string {
		return r.tree(entry{"40000", "tests", r.tree(entry{"100644", "a", r.blob(strings.Repeat("0", 30<<20))})})
	}},
	{name: "100,000 files", want: fault.LimitExceeded, tree: func(r *repository) string {
		leaf := r.blob("x")
		var all []entry
		for i := range 100_000 {
			all = append(all, entry{"100644", fmt.Sprintf("f%06d", i), leaf})
		}
		return r.tree(entry{"40000", "tests", r.tree(all...)})
	}},
	{name: "100,000 files elsewhere", tree: func(r *repository) string {
		leaf := r.blob("x")
		var all []entry
		for i := range 100_000 {
			all = append(all, entry{"100644", fmt.Sprintf("f%06d", i), leaf})
		}
		return r.tree(entry{"40000", "src", r.tree(all...)}, entry{"40000", "tests", r.tree(entry{"100644", "a", leaf})})
	}},
	{name: "a folder of a size without sense", want: fault.LimitExceeded, tree: func(r *repository) string {
		leaf := r.blob("x")
		var all []entry
		for i := range 3000 {
			all = append(all, entry{"100644", strings.Repeat("n", 4000) + fmt.Sprint(i), leaf})
		}
		return r.tree(entry{"40000", "src", r.tree(all...)}, entry{"40000", "tests", r.tree(entry{"100644", "a", leaf})})
	}},
	{name: "a blob that a folder names as a folder", want: fault.HostFailed, tree: func(r *repository) string {
		return r.tree(entry{"40000", "tests", r.blob("x")})
	}},
	{name: "a folder that a folder names as a file", want: fault.HostFailed, tree: func(r *repository) string {
		return r.tree(entry{"40000", "tests", r.tree(entry{"100644", "a", r.tree()})})
	}},
	{name: "a file that is not there", want: fault.HostFailed, tree: func(r *repository) string {
		return r.tree(entry{"40000", "tests", r.tree(entry{"100644", "a", strings.Repeat("1", 40)})})
	}},
	{name: "a folder that is not there", want: fault.HostFailed, tree: func(r *repository) string {
		return r.tree(entry{"40000", "tests", strings.Repeat("1", 40)})
	}},
}

// TestHostileRepositories reads each of them through a cache, twice, with an honest commit
// before and after: nothing of a hostile one may stick.
func TestHostileRepositories(t *testing.T) {
	const budget = 4 << 20
	r := newRepository(t)
	honest := r.commit(map[string]string{"tests/a": "1"})
	r.git("update-ref", "refs/heads/honest", honest)
	h := newHost(t, r)
	for _, tc := range hostile {
		t.Run(tc.name, func(t *testing.T) {
			r.t = t
			head := r.point(tc.tree(r))
			c := git.NewCache(git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{PackBytes: 8 << 20, FileBytes: 1 << 20}}), budget)
			read(t, c, h, honest)
			for range 2 {
				tree, err := c.Tree(t.Context(), h.endpoint(), head, "tests")
				if tc.want != "" {
					wantFault(t, err, tc.want)
					if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) || !utf8.ValidString(err.Error()) || len(err.Error()) > 1000 {
						t.Errorf("%q cannot be shown", err)
					}
				} else if err != nil {
					t.Fatal(err)
				} else if tc.file != "" {
					_, err := fs.ReadFile(tree, tc.file)
					wantFault(t, err, tc.opening)
				}
				if used := git.CacheUses(c); used < 0 || used > budget {
					t.Errorf("the cache takes %d bytes", used)
				}
			}
			// A diff has names and no files; it may find too much, never hang or fall.
			if _, _, err := c.Changed(t.Context(), h.endpoint(), honest, head); err != nil && fault.ReasonOf(err) == fault.InternalError {
				t.Errorf("Changed: %v", err)
			}
			read(t, c, h, honest)
		})
	}
}

// TestNothingIsTakenForAnOption: there is no command line to smuggle an option into, and what
// looks like one is refused before a host is asked.
func TestNothingIsTakenForAnOption(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"tests/a": "1"})
	h := newHost(t, r)
	c := git.New(git.Options{Reach: git.Loopback})
	marker := filepath.Join(t.TempDir(), "owned")
	for _, url := range []string{
		"ext::sh -c touch% " + marker, "ext::touch " + marker, "--upload-pack=touch " + marker, "-oProxyCommand=touch " + marker,
		"ssh://-oProxyCommand=touch/" + marker, "git@-oProxyCommand=touch:" + marker, "ssh://git@git.example/--upload-pack=touch",
		"file://" + r.dir, r.dir, "git://127.0.0.1/x", "fd::17", "https://git.example/a\nHost: evil", "https://git.example/a\r\n\r\nGET /",
		"https://git.example/a b", "https://user:hunter2@git.example/a", "https://git.example/a?service=x", "javascript://git.example/a", "ssh://git.example::22/a", "https://[git.example:]/a", "",
	} {
		_, err := c.Refs(t.Context(), git.Endpoint{URL: url, Auth: h.endpoint().Auth})
		wantFault(t, err, fault.InvalidSpec)
	}
	for _, commit := range []string{"--upload-pack=touch " + marker, "HEAD", "refs/heads/main", head[:12], head + "\n", strings.ToUpper(head), "-" + head[1:]} {
		for _, call := range []func() error{
			func() error { _, err := c.Tree(t.Context(), h.endpoint(), commit, "tests"); return err },
			func() error { _, _, err := c.Changed(t.Context(), h.endpoint(), head, commit); return err },
			func() error { _, _, err := c.Changed(t.Context(), h.endpoint(), commit, head); return err },
			func() error { _, _, err := c.MergeBase(t.Context(), h.endpoint(), head, commit); return err },
		} {
			wantFault(t, call(), fault.InvalidSpec)
		}
	}
	for _, path := range []string{"../x", "/etc", "a//b", "tests/", `a\b`, ".git", "a/.GIT/config", "a\x00b", "a\nb"} {
		_, err := c.Tree(t.Context(), h.endpoint(), head, path)
		wantFault(t, err, fault.InvalidSpec)
	}
	if requests, _ := h.seen(); len(requests) > 0 {
		t.Errorf("the host was asked %q", requests)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a command ran")
	}
}

// Names of refs are data: odd ones are listed as they are, and a name that is one of ours is
// taken for what it says.
func TestOddRefs(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"a": "1"})
	names := []string{
		"refs/heads/--upload-pack=x", "refs/heads/-oProxyCommand", "refs/heads/$(touch-owned)", "refs/heads/größe", "refs/heads/a;b|c&d",
		"refs/heads/refs/heads/main", "refs/heads/" + strings.Repeat("n/", 60) + "n", "refs/heads/HEAD", "refs/pull/1/head",
		"refs/heads/%00", "refs/heads/{{.}}", "refs/heads/<script>", "refs/merge-requests/x/head",
	}
	odd := map[string]string{"refs/heads/main": head}
	for _, name := range names {
		r.git("update-ref", name, head)
		odd[name] = head
	}
	r.git("update-ref", "refs/notes/main", head)
	refs, err := git.New(git.Options{Reach: git.Loopback}).Refs(t.Context(), newHost(t, r).endpoint(), git.Branches, git.Tags, git.PullRequests, git.MergeRequests)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(git.Refs{Default: "refs/heads/main", Hashes: odd}, refs); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyRepositoryHasNothing(t *testing.T) {
	e := newHost(t, newRepository(t)).endpoint()
	c := git.New(git.Options{Reach: git.Loopback})
	if refs, err := c.Refs(t.Context(), e); err != nil || len(refs.Hashes) > 0 || refs.Default != "" {
		t.Errorf("%+v, %v", refs, err)
	}
	gone := strings.Repeat("1", 40)
	_, err := c.Tree(t.Context(), e, gone, "tests")
	wantFault(t, err, fault.RefNotFound)
	if base, known, err := c.MergeBase(t.Context(), e, gone, strings.Repeat("2", 40)); base != "" || known || err != nil {
		t.Errorf("%q, %v, %v", base, known, err)
	}
}
