package git_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/assay-dev/assay/sync/git"
)

// history writes a repository with commits that hold no files, by lines such as "c a b": the
// commit c with the parents a and b, each a second later than the one before.
func history(t testing.TB, lines ...string) (*repository, map[string]string) {
	t.Helper()
	r := newRepository(t)
	var stream strings.Builder
	for i, line := range lines {
		names := strings.Fields(line)
		fmt.Fprintf(&stream, "commit refs/heads/%s\nmark :%d\ncommitter a <a@example.org> %d +0000\ndata 1\nm\n", names[0], i+1, 1_700_000_000+i)
		for n, parent := range names[1:] {
			word := "merge"
			if n == 0 {
				word = "from"
			}
			fmt.Fprintf(&stream, "%s refs/heads/%s\n", word, parent)
		}
		stream.WriteString("\n")
	}
	r.feed(stream.String(), "fast-import", "--quiet", "--force")
	hashes := map[string]string{}
	for _, line := range strings.Split(r.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)"), "\n") {
		name, hash, _ := strings.Cut(line, " ")
		hashes[name] = hash
	}
	return r, hashes
}

// chain gives n commits, each on the one before, the first on from.
func chain(name, from string, n int) []string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("%s%d %s", name, i, from))
		from = fmt.Sprintf("%s%d", name, i)
	}
	return lines
}

func TestMergeBaseOnTheHostIsGits(t *testing.T) {
	lines := []string{"root"}
	lines = append(lines, chain("main", "root", 3)...)
	lines = append(lines, chain("topic", "main0", 2)...)
	lines = append(lines, "update topic1 main1")           // main was merged into the topic
	lines = append(lines, "crossed main2 topic0", "apart") // a merge the other way, and another root
	lines = append(lines, chain("old", "main0", 260)...)
	lines = append(lines, chain("new", "main2", 3)...)
	lines = append(lines, "late main2", "early topic1 late")
	r, hash := history(t, lines...)
	h := newHost(t, r)
	c := git.New(git.Options{Reach: git.Loopback})
	for _, tc := range []struct {
		a, b     string
		requests int
	}{
		{"main2", "topic1", 2}, // what the host speaks, and the commits
		{"topic1", "main2", 1}, {"main2", "update", 1}, {"main2", "crossed", 1}, {"update", "crossed", 1},
		{"root", "main2", 1}, {"main2", "main2", 0}, {"early", "new2", 1},
		{"old259", "new2", 3}, // 50, 200, and then enough
	} {
		h.seen()
		got, known, err := c.MergeBase(t.Context(), h.endpoint(), hash[tc.a], hash[tc.b])
		if want := r.git("merge-base", tc.a, tc.b); got != want || !known || err != nil {
			t.Errorf("%s and %s: %q, %v, %v, Git says %q", tc.a, tc.b, got, known, err, want)
		}
		if requests, _ := h.seen(); len(requests) != tc.requests {
			t.Errorf("%s and %s: took %q", tc.a, tc.b, requests)
		}
	}
	for name, pair := range map[string][2]string{
		"another root": {hash["main2"], hash["apart"]}, "a commit that is gone": {hash["main2"], strings.Repeat("1", 40)},
		"no commit": {hash["main2"], r.git("rev-parse", "main2^{tree}")},
	} {
		got, known, err := c.MergeBase(t.Context(), h.endpoint(), pair[0], pair[1])
		if got != "" || known || err != nil {
			t.Errorf("%s: %q, %v, %v", name, got, known, err)
		}
	}
}

// A history of which only the newest commits are at hand can hide the merge base behind an
// older common commit, which must not be taken for it.
func TestMergeBaseIsNotGuessed(t *testing.T) {
	// topic merged main at m3, far back; both also lead to root by a short way.
	lines := append([]string{"root"}, chain("m", "root", 4)...)
	lines = append(lines, chain("t", "m3", 60)...)
	lines = append(lines, chain("n", "m3", 60)...)
	lines = append(lines, "topic t59 root", "main n59 root")
	r, hash := history(t, lines...)
	h := newHost(t, r)
	got, known, err := git.New(git.Options{Reach: git.Loopback}).MergeBase(t.Context(), h.endpoint(), hash["main"], hash["topic"])
	if want := r.git("merge-base", "main", "topic"); got != want || got != hash["m3"] || !known || err != nil {
		t.Errorf("%q, %v, %v, Git says %q", got, known, err, want)
	}
	r.git("clone", "-q", "--depth=10", "--branch=main", "file://"+r.dir, r.dir+"-shallow")
	r.git("-C", r.dir+"-shallow", "fetch", "-q", "--depth=10", "origin", "topic")
	if got, err := openLocal(t, r.dir+"-shallow").MergeBase(hash["main"], hash["topic"]); err == nil {
		t.Errorf("a shallow clone says %q", got)
	}
}

func TestMergeBaseIsBounded(t *testing.T) {
	lines := append([]string{"root"}, chain("a", "root", 120)...)
	lines = append(lines, chain("b", "root", 120)...)
	r, hash := history(t, lines...)
	h := newHost(t, r)
	for name, tc := range map[string]struct {
		limits git.Limits
		known  bool
	}{
		"in its bounds":      {git.Limits{}, true},
		"too many commits":   {git.Limits{Commits: 200}, false},
		"too many bytes":     {git.Limits{PackBytes: 2000}, false},
		"just enough":        {git.Limits{Commits: 241}, true},
		"one commit too few": {git.Limits{Commits: 240}, false},
	} {
		got, known, err := git.New(git.Options{Reach: git.Loopback, Limits: tc.limits}).MergeBase(t.Context(), h.endpoint(), hash["a119"], hash["b119"])
		if known != tc.known || (got == hash["root"]) != tc.known || err != nil {
			t.Errorf("%s: %q, %v, %v", name, got, known, err)
		}
	}
}

func TestMergeBaseWithoutFilters(t *testing.T) {
	r := newRepository(t)
	r.git("config", "uploadpack.allowFilter", "false")
	base := r.commit(map[string]string{"a": "1"})
	main := r.commit(map[string]string{"a": "2"})
	r.git("checkout", "-q", "-b", "topic", base)
	topic := r.commit(map[string]string{"b": "1"})
	h := newHost(t, r)
	got, known, err := git.New(git.Options{Reach: git.Loopback}).MergeBase(t.Context(), h.endpoint(), main, topic)
	if got != base || !known || err != nil {
		t.Errorf("%q, %v, %v", got, known, err)
	}
	// A host that fails has no answer: that is no reason to run everything.
	h.before = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	if _, _, err := git.New(git.Options{Reach: git.Loopback}).MergeBase(t.Context(), h.endpoint(), main, topic); err == nil {
		t.Error("a failing host has an answer")
	}
}
