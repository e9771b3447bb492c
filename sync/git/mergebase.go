package git

import (
	"container/heap"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/assay-dev/assay/api/fault"
)

// MergeBase gives the newest commit that both a and b descend from, reading history from the
// newest commits on and only as far as needed; go-git's own reads all of it, and fails on
// shallow clones. It is a RefNotFound fault when the history at hand has none.
func (l *Local) MergeBase(a, b string) (string, error) {
	w := &walk{local: l, marks: map[plumbing.Hash]mark{}}
	for _, side := range []struct {
		commit string
		mark   mark
	}{{a, fromA}, {b, fromB}} {
		hash, err := parseCommit(side.commit)
		if err != nil {
			return "", err
		}
		if err := w.reach(hash, side.mark); err != nil {
			return "", err
		}
		if w.shallow {
			return "", fault.New(fault.RefNotFound, fault.Place{Commit: side.commit}, "fetch it", "the commit is not in the working copy")
		}
	}
	base, err := w.run()
	if err != nil || base != nil {
		return base.hash(), err
	}
	remedy := ""
	if w.shallow {
		remedy = "run git fetch --unshallow"
	}
	return "", fault.New(fault.RefNotFound, fault.Place{}, remedy, "%q and %q have no common commit here", clip(a), clip(b))
}

// mark says from where a commit was reached.
type mark int

const (
	fromA mark = 1 << iota
	fromB
	below // an ancestor of a common commit, which cannot be the newest
	both  = fromA | fromB
)

// walk goes back in time from two commits at once, as Git's paint_down_to_common does.
type walk struct {
	local   *Local
	marks   map[plumbing.Hash]mark
	queue   byTime
	shallow bool // a parent is not in the working copy
}

func (w *walk) run() (*reached, error) {
	var common []*reached
	for w.queue.hopeful(w.marks) {
		r := heap.Pop(&w.queue).(*reached)
		m := w.marks[r.commit.Hash]
		if m&both == both {
			if m&below == 0 {
				common = append(common, r)
			}
			m |= below
		}
		for _, parent := range r.commit.ParentHashes {
			if err := w.reach(parent, m); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range common { // in the order of time
		if w.marks[r.commit.Hash]&below == 0 {
			return r, nil
		}
	}
	return nil, nil
}

// reach adds marks to a commit, and has it visited when they are news.
func (w *walk) reach(hash plumbing.Hash, m mark) error {
	if w.marks[hash]&m == m {
		return nil
	}
	commit, err := object.GetCommit(w.local.repository.Storer, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		w.shallow = true
		return nil
	}
	if err != nil {
		return err
	}
	w.marks[hash] |= m
	heap.Push(&w.queue, &reached{commit})
	return nil
}

type reached struct{ commit *object.Commit }

func (r *reached) hash() string {
	if r == nil {
		return ""
	}
	return r.commit.Hash.String()
}

// byTime is a heap with the newest commit on top.
type byTime []*reached

func (q byTime) Len() int      { return len(q) }
func (q byTime) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q byTime) Less(i, j int) bool {
	return q[i].commit.Committer.When.After(q[j].commit.Committer.When)
}
func (q *byTime) Push(x any) { *q = append(*q, x.(*reached)) }
func (q *byTime) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// hopeful says whether a commit is left that could lead to a newer common one.
func (q byTime) hopeful(marks map[plumbing.Hash]mark) bool {
	for _, r := range q {
		if marks[r.commit.Hash]&below == 0 {
			return true
		}
	}
	return false
}
