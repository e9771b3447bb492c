package testrepository

import (
	"context"
	"testing"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

// down are the refs of a host that does not answer.
type down struct{ *stage }

func (down) Refs(context.Context, git.Endpoint, ...string) (git.Refs, error) {
	return git.Refs{}, fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer")
}

// TestARequestWaitsForTheHost: what is asked for while the host is down is done when it is back.
func TestARequestWaitsForTheHost(t *testing.T) {
	s := newStage(t)
	s.polls()
	s.end(fault.ConfigMapInvalid, true)
	s.polls()
	s.ask("one")
	up := s.r.Refs
	s.r.Refs = down{s}
	if _, err := s.poll(); err == nil {
		t.Error("the host is down, and nothing is said")
	}
	s.r.Refs = up
	s.polls()
	s.wantRuns(2, "when the host is back")
	s.polls()
	s.wantRuns(2, "a poll later")
}
