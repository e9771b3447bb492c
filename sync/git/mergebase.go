package git

import (
	"container/heap"
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/assay-dev/assay/api/fault"
)

// MergeBase gives the newest commit that both a and b descend from, by full hashes. It asks
// for commits alone where the host can leave out the rest, and for more of the history only
// while what it has leaves a doubt. known is false, without an error, when the commits share
// nothing within [Limits.Commits], or when the host does not give them out; the caller must
// then do as if everything changed.
func (c *Client) MergeBase(ctx context.Context, e Endpoint, a, b string) (base string, known bool, err error) {
	from, err := parseCommit(a)
	if err != nil {
		return "", false, err
	}
	to, err := parseCommit(b)
	if err != nil {
		return "", false, err
	}
	if from == to {
		return a, true, nil
	}
	err = c.operate(ctx, e, func(ctx context.Context, _ location, s *session) error {
		found, err := s.mergeBase(ctx, from, to)
		base, known = found.String(), !found.IsZero()
		if refused(err) || errors.As(err, new(limitError)) {
			return nil
		}
		return err
	})
	if !known || err != nil {
		return "", false, err
	}
	return base, true, nil
}

// mergeBase fetches the history of two commits, step by step, until it can tell. Most pull
// requests need the first step alone, and none needs all of a long history.
func (s *session) mergeBase(ctx context.Context, a, b plumbing.Hash) (plumbing.Hash, error) {
	w := want{hashes: []plumbing.Hash{a, b}}
	steps := []int{50, 200, 1000, 5000}
	if s.partial() {
		w.filter = packp.FilterTreeDepth(0)
	} else {
		steps = steps[:1] // the files of 50 commits come along
	}
	for _, w.depth = range steps {
		objects := newStore(s.limits)
		if err := s.fetch(ctx, w, objects); err != nil {
			return plumbing.ZeroHash, err
		}
		base, whole, err := mergeBase(objects, a, b, s.limits.Commits)
		if whole || err != nil {
			return base, err
		}
	}
	return plumbing.ZeroHash, nil
}

// MergeBase gives the newest commit that both a and b descend from. It is a RefNotFound fault
// when the history at hand has none, or ends too early to tell.
func (l *Local) MergeBase(a, b string) (string, error) {
	var tips [2]plumbing.Hash
	for i, commit := range []string{a, b} {
		hash, err := parseCommit(commit)
		if err != nil {
			return "", err
		}
		_, err = l.source().read(plumbing.CommitObject, hash, structureBytes)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			return "", fault.New(fault.RefNotFound, fault.Place{Commit: commit}, "fetch it", "the commit is not in the working copy")
		}
		if err != nil {
			return "", err
		}
		tips[i] = hash
	}
	const everything = 1 << 30
	base, whole, err := mergeBase(l.source(), tips[0], tips[1], everything)
	switch {
	case err != nil:
		return "", err
	case !whole:
		return "", fault.New(fault.RefNotFound, fault.Place{}, "run git fetch --unshallow", "%q and %q have no common commit in the part of the history that is here", clip(a), clip(b))
	case base.IsZero():
		return "", fault.New(fault.RefNotFound, fault.Place{}, "", "%q and %q have no common commit", clip(a), clip(b))
	}
	return base.String(), nil
}

// mergeBase walks from the newest commits on, and only as far as needed; go-git's own reads
// all of the history, and fails when some of it is missing. whole is false when a commit is
// missing that could make a difference; base is zero then, and when there is none. Reaching
// more commits than most is a limitError.
func mergeBase(from source, a, b plumbing.Hash, most int) (base plumbing.Hash, whole bool, err error) {
	w := &walk{from: from, most: most, marks: map[plumbing.Hash]mark{}, queued: map[plumbing.Hash]bool{}}
	if err := w.reach(a, fromA); err != nil {
		return plumbing.ZeroHash, false, err
	}
	if err := w.reach(b, fromB); err != nil {
		return plumbing.ZeroHash, false, err
	}
	common, err := w.run()
	if err != nil {
		return plumbing.ZeroHash, false, err
	}
	for _, hash := range w.missing {
		if w.marks[hash]&below == 0 { // what comes before it could be newer than what was found
			return plumbing.ZeroHash, false, nil
		}
	}
	for _, hash := range common { // in the order of time
		if w.marks[hash]&below == 0 {
			return hash, true, nil
		}
	}
	return plumbing.ZeroHash, true, nil
}

// mark says from where a commit was reached.
type mark uint8

const (
	fromA mark = 1 << iota
	fromB
	below // an ancestor of a common commit, which cannot be the newest
	both  = fromA | fromB
)

// walk goes back in time from two commits at once, as Git's paint_down_to_common does.
type walk struct {
	from    source
	most    int
	marks   map[plumbing.Hash]mark
	missing []plumbing.Hash // reached, and not at hand
	queue   byTime
	queued  map[plumbing.Hash]bool
	// hopeful is how many in the queue could lead to a newer common commit.
	hopeful int
}

// run gives the commits that both sides lead to, the newest first.
func (w *walk) run() ([]plumbing.Hash, error) {
	var common []plumbing.Hash
	for w.hopeful > 0 {
		p := heap.Pop(&w.queue).(*past)
		delete(w.queued, p.hash)
		m := w.marks[p.hash]
		if m&below == 0 {
			w.hopeful--
		}
		if m&both == both {
			if m&below == 0 {
				common = append(common, p.hash)
			}
			m |= below
		}
		for _, parent := range p.parents {
			if err := w.reach(parent, m); err != nil {
				return nil, err
			}
		}
	}
	return common, nil
}

// reach adds marks to a commit, and has it visited when they are news.
func (w *walk) reach(hash plumbing.Hash, m mark) error {
	before := w.marks[hash]
	if before&m == m {
		return nil
	}
	if w.marks[hash] |= m; len(w.marks) > w.most {
		return limitError{"commits to the merge base", int64(w.most)}
	}
	if w.queued[hash] {
		if before&below == 0 && m&below != 0 {
			w.hopeful--
		}
		return nil
	}
	p, err := pastOf(w.from, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		if before == 0 {
			w.missing = append(w.missing, hash)
		}
		return nil
	}
	if err != nil {
		return err
	}
	heap.Push(&w.queue, p)
	w.queued[hash] = true
	if w.marks[hash]&below == 0 {
		w.hopeful++
	}
	return nil
}

// past is what the walk needs of a commit.
type past struct {
	hash    plumbing.Hash
	seconds int64 // since 1970, when it was committed
	parents []plumbing.Hash
}

func pastOf(from source, hash plumbing.Hash) (*past, error) {
	content, err := from.read(plumbing.CommitObject, hash, structureBytes)
	if err != nil {
		return nil, err
	}
	var decoded object.Commit
	if err := decoded.Decode(encoded(plumbing.CommitObject, content)); err != nil {
		return nil, err
	}
	return &past{hash, decoded.Committer.When.Unix(), decoded.ParentHashes}, nil
}

// byTime is a heap with the newest commit on top.
type byTime []*past

func (q byTime) Len() int           { return len(q) }
func (q byTime) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q byTime) Less(i, j int) bool { return q[i].seconds > q[j].seconds }
func (q *byTime) Push(x any)        { *q = append(*q, x.(*past)) }
func (q *byTime) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
