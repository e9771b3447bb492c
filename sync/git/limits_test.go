package git_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestLimitsNameTheFile(t *testing.T) {
	for name, tc := range map[string]struct {
		limits git.Limits
		files  map[string]string
		file   string
	}{
		"a big file":             {git.Limits{FileBytes: 1000}, map[string]string{"tests/a": "1", "tests/big": noise(5000)}, "tests/big"},
		"a big file of zeros":    {git.Limits{FileBytes: 1000}, map[string]string{"tests/big": strings.Repeat("0", 1<<20)}, "tests/big"},
		"many files":             {git.Limits{Files: 3}, map[string]string{"tests/a": "1", "tests/b": "2", "tests/c": "3", "tests/d": "4"}, "tests"},
		"many files below":       {git.Limits{Files: 3}, map[string]string{"tests/a": "1", "tests/b/c": "2", "tests/b/d": "3"}, "tests/b"},
		"many bytes together":    {git.Limits{TotalBytes: 1500}, map[string]string{"tests/a": noise(1000), "tests/b": noise(1001)}, "tests/b"},
		"many folders deep":      {git.Limits{Depth: 3}, map[string]string{"tests/a/b/c": "1"}, "tests/a/b/c"},
		"a big file in a family": {git.Limits{FileBytes: 9000}, family(8), "tests/7"},
	} {
		for _, filter := range []string{"true", "false"} {
			t.Run(name+", filter "+filter, func(t *testing.T) {
				r := newRepository(t)
				r.git("config", "uploadpack.allowFilter", filter)
				head := r.commit(tc.files)
				r.git("repack", "-adq", "--depth=50", "--window=50")
				e := newHost(t, r).endpoint()
				_, err := git.New(git.Options{Reach: git.Loopback, Limits: tc.limits}).Tree(t.Context(), e, head, "tests")
				f := wantFault(t, err, fault.LimitExceeded)
				if f.Place.File != tc.file || f.Place.Commit != head || f.Place.Repository == "" {
					t.Errorf("the fault is at %q, want %q", f.Place, tc.file)
				}
				if f.Remedy == "" {
					t.Error("there is no remedy")
				}
				if _, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), e, head, "tests"); err != nil {
					t.Errorf("with the default limits: %v", err)
				}
			})
		}
	}
}

// family is files that Git stores as deltas of each other, each longer than the last and only
// the last over 9,000 bytes.
func family(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("tests/%d", i)] = noise(8000) + strings.Repeat("more ", i*29)
	}
	files[fmt.Sprintf("tests/%d", n-1)] += strings.Repeat("over", 200)
	return files
}

func TestBigFilesElsewhereDoNotMatter(t *testing.T) {
	for _, filter := range []string{"true", "false"} {
		r := newRepository(t)
		r.git("config", "uploadpack.allowFilter", filter)
		files := map[string]string{"tests/a": "1"}
		for i := range 5 { // as deltas
			files[fmt.Sprintf("assets/%d", i)] = noise(50_000) + fmt.Sprint(i)
		}
		head := r.commit(files)
		r.git("repack", "-adq")
		_, err := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{FileBytes: 1000}}).Tree(t.Context(), newHost(t, r).endpoint(), head, "tests")
		if err != nil {
			t.Errorf("filter %s: %v", filter, err)
		}
	}
}

// A small file that Git stores as a difference to a huge one elsewhere cannot be had when there
// is no room for the huge one; the fault must not be a broken host's.
func TestSmallFilesBuiltOnHugeOnes(t *testing.T) {
	r := newRepository(t)
	r.git("config", "uploadpack.allowFilter", "false")
	huge := noise(120_000)
	head := r.commit(map[string]string{"assets/the-same-name-twice": huge, "tests/the-same-name-twice": huge[:6000]})
	r.git("repack", "-adfq")
	e := newHost(t, r).endpoint()
	_, err := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{FileBytes: 8000, PackBytes: 200_000}}).Tree(t.Context(), e, head, "tests")
	if f := wantFault(t, err, fault.LimitExceeded); f.Place.File != "tests/the-same-name-twice" || !strings.Contains(f.Message, "difference") {
		t.Errorf("got %v", err)
	}
	// With room for it, its size does not matter.
	if _, err := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{FileBytes: 8000}}).Tree(t.Context(), e, head, "tests"); err != nil {
		t.Error(err)
	}
}

func TestPackIsBounded(t *testing.T) {
	r := newRepository(t)
	r.git("config", "uploadpack.allowFilter", "false")
	head := r.commit(map[string]string{"tests/a": "1", "assets/b": noise(500_000)})
	h := newHost(t, r)
	c := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{PackBytes: 100_000}})
	_, err := c.Tree(t.Context(), h.endpoint(), head, "tests")
	wantFault(t, err, fault.LimitExceeded)

	// What inflates to much more than it was sent as is bounded by the same limit.
	bomb := map[string]string{}
	for i := range 40 {
		bomb[fmt.Sprintf("assets/%d", i)] = strings.Repeat(fmt.Sprint(i), 50_000)
	}
	head = r.commit(bomb)
	h.seen()
	_, err = git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{PackBytes: 1_000_000}}).Tree(t.Context(), h.endpoint(), head, "tests")
	wantFault(t, err, fault.LimitExceeded)
	if _, sent := h.seen(); sent > 700_000 {
		t.Errorf("the bomb weighs %d bytes", sent)
	}
}

func TestTreesOfAstronomicalSizeAreRefused(t *testing.T) {
	r := newRepository(t)
	level := r.tree(entry{"100644", "leaf", r.blob("x")})
	other := r.tree(entry{"100644", "leaf", r.blob("y")})
	for range 24 { // ten to the 24th files in two dozen objects
		var same, changed []entry
		for i := range 10 {
			same = append(same, entry{"40000", fmt.Sprint(i), level})
			changed = append(changed, entry{"40000", fmt.Sprint(i), other})
		}
		level, other = r.tree(same...), r.tree(changed...)
	}
	base := r.point(r.tree(entry{"40000", "tests", level}))
	head := r.point(r.tree(entry{"40000", "tests", other}))
	c, e := git.New(git.Options{Reach: git.Loopback}), newHost(t, r).endpoint()
	_, err := c.Tree(t.Context(), e, head, "tests")
	wantFault(t, err, fault.LimitExceeded)
	r.git("update-ref", "refs/heads/base", base)
	paths, known, err := c.Changed(t.Context(), e, base, head)
	if err != nil || known || len(paths) > 0 {
		t.Errorf("got %d paths, known %v, error %v", len(paths), known, err)
	}
}

func TestNamesThatEscapeAreRefused(t *testing.T) {
	for _, name := range []string{"..", ".", ".git", ".GIT", "a/b", `a\b`, "\xff\xfe", "line\nbreak", strings.Repeat("n", 5000)} {
		r := newRepository(t)
		head := r.point(r.tree(entry{"40000", "tests", r.tree(entry{"100644", name, r.blob("x")})}))
		_, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), newHost(t, r).endpoint(), head, "tests")
		f := wantFault(t, err, fault.InvalidCatalog)
		if f.Place.File != "tests" || strings.Contains(err.Error(), "\n") || !utf8.ValidString(err.Error()) {
			t.Errorf("%q: %q at %v", name, err, f.Place)
		}
	}
	r := newRepository(t)
	twice := r.tree(entry{"100644", "a", r.blob("x")}, entry{"120000", "a", r.blob("y")})
	_, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), newHost(t, r).endpoint(), r.point(r.tree(entry{"40000", "tests", twice})), "tests")
	wantFault(t, err, fault.InvalidCatalog)
}

func TestRefsAreBounded(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"a": "1"})
	for _, name := range []string{"b", "c", "d"} {
		r.git("branch", name)
	}
	h := newHost(t, r)
	_, err := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{Refs: 3}}).Refs(t.Context(), h.endpoint(), git.Branches)
	wantFault(t, err, fault.LimitExceeded)

	// An advertisement without an end.
	h.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		line := head + " refs/heads/" + strings.Repeat("x", 100) + "\x00agent=endless\n"
		for err := error(nil); err == nil; {
			_, err = fmt.Fprintf(w, "%04x%s", len(line)+4, line)
			line = strings.ReplaceAll(line, "\x00agent=endless", "")
		}
		return true
	}
	_, err = git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{Refs: 1000}}).Refs(t.Context(), h.endpoint(), git.Branches)
	wantFault(t, err, fault.LimitExceeded)
}

func TestAnswersThatAreNoPackAreTheHostsFault(t *testing.T) {
	r := newRepository(t)
	head := r.commit(map[string]string{"tests/a": "1"})
	h := newHost(t, r)
	for name, answer := range map[string]string{
		"nothing":             "",
		"no protocol":         "hello",
		"a cut pack":          "0008NAK\n000dPACK\x00\x00\x00\x02",
		"an absurd count":     "00000008NAK\n0011\x01PACK\x00\x00\x00\x02\xff\xff\xff\xff0000",
		"an error on the way": "00000008NAK\n000d\x03failure0000",
	} {
		t.Run(name, func(t *testing.T) {
			h.before = func(w http.ResponseWriter, req *http.Request) bool {
				if req.Method != http.MethodPost {
					return false
				}
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				_, _ = w.Write([]byte(answer))
				return true
			}
			_, err := git.New(git.Options{Reach: git.Loopback}).Tree(t.Context(), h.endpoint(), head, "tests")
			wantFault(t, err, fault.HostFailed)
			if fault.Of(err) != fault.Transient {
				t.Errorf("%v is not transient", err)
			}
			_, known, err := git.New(git.Options{Reach: git.Loopback}).Changed(t.Context(), h.endpoint(), strings.Repeat("1", 40), head)
			if known || err == nil {
				t.Errorf("changed paths are known: %v, %v", known, errors.Unwrap(err))
			}
		})
	}
}
