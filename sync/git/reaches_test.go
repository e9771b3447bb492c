package git_test

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

func TestReachesOnTheHostIsGits(t *testing.T) {
	lines := []string{"root"}
	lines = append(lines, chain("main", "root", 300)...)
	lines = append(lines, chain("topic", "main10", 3)...)
	lines = append(lines, "merged main299 topic1", "apart")
	r, hash := history(t, lines...)
	h := newHost(t, r)
	c := git.New(git.Options{Reach: git.Loopback})
	for _, tc := range []struct {
		commit   string
		tips     []string
		requests int
	}{
		{"main299", []string{"main299"}, 0},
		{"main290", []string{"main299"}, 2}, // what the host speaks, and the commits
		{"topic1", []string{"merged"}, 1},
		{"topic2", []string{"merged"}, 4}, // all of the history is looked at: 50, 200, 1000, and there is no more
		{"topic2", []string{"main299", "topic2"}, 0},
		{"topic0", []string{"apart", "topic2"}, 1},
		{"root", []string{"main299"}, 3},
		{"apart", []string{"main299"}, 3},
		{"main299", []string{"root", "apart"}, 1},
		{"main299", nil, 0},
	} {
		h.seen()
		var tips []string
		want := false
		for _, tip := range tc.tips {
			tips = append(tips, hash[tip])
			want = want || strings.Contains(r.git("rev-list", hash[tip]), hash[tc.commit])
		}
		got, known, err := c.Reaches(t.Context(), h.endpoint(), hash[tc.commit], tips...)
		if got != want || !known || err != nil {
			t.Errorf("%s from %q: %v, %v, %v, Git says %v", tc.commit, tc.tips, got, known, err, want)
		}
		if requests, _ := h.seen(); len(requests) > tc.requests {
			t.Errorf("%s from %q: took %d requests, want %d at most", tc.commit, tc.tips, len(requests), tc.requests)
		}
	}
	// A commit that is nowhere is not asked for, and one that is gone from the host is no answer.
	nowhere := strings.Repeat("1", 40)
	if got, known, err := c.Reaches(t.Context(), h.endpoint(), nowhere, hash["topic0"]); got || !known || err != nil {
		t.Errorf("nowhere: %v, %v, %v", got, known, err)
	}
	if got, known, err := c.Reaches(t.Context(), h.endpoint(), hash["root"], nowhere); got || known || err != nil {
		t.Errorf("a tip that is gone: %v, %v, %v", got, known, err)
	}
	if _, _, err := c.Reaches(t.Context(), h.endpoint(), "main", hash["root"]); err == nil {
		t.Error("a branch is taken for a commit")
	}
}

func TestReachesIsBounded(t *testing.T) {
	r, hash := history(t, append([]string{"root"}, chain("main", "root", 120)...)...)
	h := newHost(t, r)
	few := git.New(git.Options{Reach: git.Loopback, Limits: git.Limits{Commits: 60}})
	if got, known, err := few.Reaches(t.Context(), h.endpoint(), hash["root"], hash["main119"]); got || known || err != nil {
		t.Errorf("beyond the limit: %v, %v, %v", got, known, err)
	}
	if got, known, err := few.Reaches(t.Context(), h.endpoint(), hash["main100"], hash["main119"]); !got || !known || err != nil {
		t.Errorf("within it: %v, %v, %v", got, known, err)
	}
	h.Close()
	_, _, err := few.Reaches(t.Context(), h.endpoint(), hash["root"], hash["main119"])
	if err == nil || fault.Of(err) != fault.Transient {
		t.Errorf("a host that is gone: %v", err)
	}
}
