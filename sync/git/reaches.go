package git

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// Reaches says whether one of the tips, by full hashes, is the commit or descends from it. The host is asked for the
// tips alone, so that it tells nothing of a commit that none of them leads to. It asks for commits without their files
// where the host can leave those out, and for more of the history only while the commit is not found; that is four
// requests at most. known is false, without an error, when it is not found within [Limits.Commits] and there is more,
// or when the host does not give out the tips.
func (c *Client) Reaches(ctx context.Context, e Endpoint, commit string, tips ...string) (reached, known bool, err error) {
	wanted, err := parseCommit(commit)
	if err != nil {
		return false, false, err
	}
	w := want{}
	for _, tip := range tips {
		hash, err := parseCommit(tip)
		if err != nil {
			return false, false, err
		}
		if hash == wanted {
			return true, true, nil
		}
		w.hashes = append(w.hashes, hash)
	}
	if len(tips) == 0 {
		return false, true, nil
	}
	err = c.operate(ctx, e, func(ctx context.Context, _ location, s *session) error {
		var err error
		reached, known, err = s.reaches(ctx, wanted, w)
		if refused(err) || errors.As(err, new(limitError)) {
			reached, known = false, false
			return nil
		}
		return err
	})
	return reached, known, err
}

func (s *session) reaches(ctx context.Context, commit plumbing.Hash, w want) (reached, known bool, err error) {
	steps := []int{50, 200, 1000, 5000}
	if s.partial() {
		w.filter = packp.FilterTreeDepth(0)
	} else {
		steps = steps[:1] // the files of 50 commits come along
	}
	for _, w.depth = range steps {
		objects := newStore(s.limits)
		if err := s.fetch(ctx, w, objects); err != nil {
			return false, false, err
		}
		if reached, known, err = reaches(objects, commit, w.hashes, s.limits.Commits); known || err != nil {
			return reached, known, err
		}
	}
	return false, false, nil
}

// reaches goes back from the tips. known is false when the commit is not among those at hand and some are missing.
// Looking at more commits than most is a limitError.
func reaches(from source, commit plumbing.Hash, tips []plumbing.Hash, most int) (reached, known bool, err error) {
	seen := map[plumbing.Hash]bool{}
	whole := true
	for queue := slices.Clone(tips); len(queue) > 0; {
		hash := queue[0]
		queue = queue[1:]
		if hash == commit {
			return true, true, nil
		}
		if seen[hash] {
			continue
		}
		if seen[hash] = true; len(seen) > most {
			return false, false, limitError{"commits to look for one", int64(most)}
		}
		p, err := pastOf(from, hash)
		switch {
		case errors.Is(err, plumbing.ErrObjectNotFound):
			whole = false
		case err != nil:
			return false, false, err
		default:
			queue = append(queue, p.parents...)
		}
	}
	return false, whole, nil
}
