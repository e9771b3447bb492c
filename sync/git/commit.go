package git

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/assay-dev/assay/api/fault"
)

// commitBytes bounds a commit that is read for itself. Messages of a few kilobytes are long.
const commitBytes = 1 << 20

// Commit gives a commit as Git stores it, headers and message, by its full hash. The result
// must not be changed. A commit that is not there (any more) is a RefNotFound fault.
func (c *Client) Commit(ctx context.Context, e Endpoint, commit string) ([]byte, error) {
	hash, err := parseCommit(commit)
	if err != nil {
		return nil, err
	}
	var content []byte
	err = c.operate(ctx, e, func(ctx context.Context, l location, s *session) error {
		objects := newStore(c.options.Limits)
		err := s.commit(ctx, objects, hash)
		if refused(err) {
			return missingCommit(l, commit, err)
		}
		if err != nil {
			return err
		}
		content, err = objects.read(plumbing.CommitObject, hash, commitBytes)
		switch {
		case errors.As(err, new(tooBigError)):
			return fault.New(fault.LimitExceeded, fault.Place{Repository: l.String(), Commit: commit}, "", "the commit is larger than %d KiB", commitBytes>>10)
		case err != nil:
			return fault.New(fault.RefNotFound, fault.Place{Repository: l.String(), Commit: commit}, "give the hash of a commit that was pushed", "the commit is not there")
		}
		return nil
	})
	return slices.Clone(content), err
}

// commit fetches one without its trees, where the host leaves those out.
func (s *session) commit(ctx context.Context, into *store, hash plumbing.Hash) error {
	var err error
	if s.partial() {
		err = s.fetch(ctx, want{hashes: []plumbing.Hash{hash}, filter: packp.FilterTreeDepth(0)}, into)
	}
	if !s.partial() || refused(err) {
		// Hosts may allow some filters only (uploadpackfilter.allow).
		_, err = s.commits(ctx, newPool(), into, hash)
	}
	return err
}
