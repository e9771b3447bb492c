package git_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-dev/assay/sync/git"
)

// monorepo is a repository with 100,000 files in 1,000 folders, and tests; it gives a function
// that makes a commit which differs from the first in one file of src.
func monorepo(b *testing.B) (r *repository, base string, change func(n int) string) {
	b.Helper()
	r = newRepository(b)
	var stream strings.Builder
	for d := range 1000 { // folders differ, as in a real one
		fmt.Fprintf(&stream, "blob\nmark :%d\ndata %d\n%d\n", d+1, len(fmt.Sprint(d)), d)
	}
	stream.WriteString("commit refs/heads/main\ncommitter a <a@example.org> 1700000000 +0000\ndata 1\nm\n")
	for d := range 1000 {
		for f := range 100 {
			fmt.Fprintf(&stream, "M 100644 :%d src/d%03d/file%02d\n", d+1, d, f)
		}
	}
	stream.WriteString("M 100644 :1 tests/kustomization.yaml\nM 100644 :2 tests/a.yaml\n\n")
	r.feed(stream.String(), "fast-import", "--quiet", "--force")
	base = r.git("rev-parse", "main")
	change = func(n int) string {
		parent := r.git("rev-parse", "main")
		r.feed(fmt.Sprintf("commit refs/heads/main\ncommitter a <a@example.org> %d +0000\ndata 1\nm\nfrom %s\nM 100644 inline src/d500/file50\ndata %d\n%d\n\n",
			1_700_000_001+n, parent, len(fmt.Sprint(n)), n), "fast-import", "--quiet")
		return r.git("rev-parse", "main")
	}
	return r, base, change
}

// BenchmarkChanged compares two commits of 100,000 files that differ in one.
func BenchmarkChanged(b *testing.B) {
	r, base, change := monorepo(b)
	head := change(1)
	h := newHost(b, r)
	for name, reader := range map[string]func() git.Reader{
		"from the host, both commits": func() git.Reader { return git.New(git.Options{Reach: git.Loopback}) },
		"from the host, the base is known": func() git.Reader {
			c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 64<<20)
			read(b, c, h, base)
			return c
		},
		"both are known": func() git.Reader {
			c := git.NewCache(git.New(git.Options{Reach: git.Loopback}), 64<<20)
			read(b, c, h, base)
			read(b, c, h, head)
			return c
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var sent int
			for b.Loop() {
				b.StopTimer()
				c := reader()
				h.seen()
				b.StartTimer()
				paths, known, err := c.Changed(b.Context(), h.endpoint(), base, head)
				if len(paths) != 1 || !known || err != nil {
					b.Fatalf("%q, %v, %v", paths, known, err)
				}
				_, n := h.seen()
				sent += n
			}
			b.ReportMetric(float64(sent)/float64(b.N), "B-sent/op")
		})
	}
}

// BenchmarkTreeOfUnchangedTests reads the tests of commits that change one other file of
// 100,000.
func BenchmarkTreeOfUnchangedTests(b *testing.B) {
	r, base, change := monorepo(b)
	h := newHost(b, r)
	for name, reader := range map[string]git.Reader{
		"without a cache": git.New(git.Options{Reach: git.Loopback}), "with one": git.NewCache(git.New(git.Options{Reach: git.Loopback}), 64<<20),
	} {
		b.Run(name, func(b *testing.B) {
			if _, err := reader.Tree(b.Context(), h.endpoint(), base, "tests"); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			n, sent := 1, 0
			for b.Loop() {
				b.StopTimer()
				n++
				head := change(n)
				h.seen()
				b.StartTimer()
				if _, err := reader.Tree(b.Context(), h.endpoint(), head, "tests"); err != nil {
					b.Fatal(err)
				}
				_, bytes := h.seen()
				sent += bytes
			}
			b.ReportMetric(float64(sent)/float64(b.N), "B-sent/op")
		})
	}
}
