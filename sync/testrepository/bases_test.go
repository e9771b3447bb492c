package testrepository

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

// parted knows merge bases, and what it was asked for.
type parted struct {
	bases map[[2]string]string
	err   error
	asked [][2]string
}

// Refs knows one branch, which is not watched.
func (p *parted) Refs(_ context.Context, _ git.Endpoint, prefixes ...string) (git.Refs, error) {
	if len(prefixes) == 1 && prefixes[0] == "refs/heads/release" {
		return git.Refs{Hashes: map[string]string{"refs/heads/release": hash("a")}}, nil
	}
	return git.Refs{}, nil
}

func (p *parted) MergeBase(_ context.Context, _ git.Endpoint, a, b string) (string, bool, error) {
	p.asked = append(p.asked, [2]string{a[:1], b[:1]})
	base, ok := p.bases[[2]string{a[:1], b[:1]}]
	return base, ok, p.err
}

func TestMergeBasesAreFoundWhereTheForgeDoesNotTell(t *testing.T) {
	open := providers.PullRequest{Number: 7, Head: hash("c"), TargetBranch: "main"}
	with := func(change func(*providers.PullRequest)) providers.PullRequest {
		pull := open
		change(&pull)
		return pull
	}
	for _, c := range []struct {
		name  string
		pull  providers.PullRequest
		repo  func(*v1alpha1.TestRepository)
		err   error
		again bool
		base  string
		asked [][2]string
	}{
		{name: "from the history", pull: open, base: hash("b"), asked: [][2]string{{"a", "c"}}},
		{name: "what the forge says goes first", pull: with(func(p *providers.PullRequest) { p.Base = hash("f") }), base: hash("f")},
		{name: "a history that does not say leaves it unknown, and never the tip", pull: with(func(p *providers.PullRequest) { p.Head = hash("d") }), asked: [][2]string{{"a", "d"}}},
		{name: "a host that fails leaves it unknown", pull: open, err: errors.New("down"), asked: [][2]string{{"a", "c"}}},
		{name: "no place on the host is no answer", pull: open, err: fault.New(fault.HostBusy, fault.Place{}, "", "busy"), again: true, asked: [][2]string{{"a", "c"}}},
		{name: "a target branch that is not watched", pull: with(func(p *providers.PullRequest) { p.TargetBranch = "release" }), base: hash("b"), asked: [][2]string{{"a", "c"}}},
		{name: "a target branch that is gone", pull: with(func(p *providers.PullRequest) { p.TargetBranch = "gone" })},
		{name: "nobody asks for a fork", pull: with(func(p *providers.PullRequest) { p.Fork = true })},
		{name: "nobody asks again for what has its runs", pull: open, repo: func(r *v1alpha1.TestRepository) {
			r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: hash("c"), Environments: []string{"prod", "staging"}}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			known := &parted{bases: map[[2]string]string{{"a", "c"}: hash("b")}, err: c.err}
			pulls := []providers.PullRequest{c.pull}
			err := (&Reconciler{Refs: known}).findBases(t.Context(), repository(c.repo), git.Endpoint{}, refs("main", "a"), pulls)
			if (err != nil) != c.again {
				t.Errorf("the poll is made again for %v", err)
			}
			if diff := cmp.Diff(c.base, pulls[0].Base); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.asked, known.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}
