package testrepository

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

// pullsOf is a forge with open pull requests, or one that does not answer.
type pullsOf struct {
	open []providers.PullRequest
	err  error
}

func (p *pullsOf) Open(context.Context) ([]providers.PullRequest, error) { return p.open, p.err }

// site is a repository on Git's own http-backend, with the pull requests of a forge.
type site struct {
	*host
	pulls  *pullsOf
	repo   *v1alpha1.TestRepository
	source Source
	asked  atomic.Int32
	// commits by name: the history of main is old, main; of topic old, topic; the head of a fork is
	// on old, too; gone was main before a force push.
	commits map[string]string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{pulls: &pullsOf{}, commits: map[string]string{}}
	s.host = newHost(t, func(string, string) bool { s.asked.Add(1); return true })
	tree := s.git("", "rev-parse", "HEAD^{tree}")
	commit := func(name string, parents ...string) {
		args := []string{"commit-tree", tree, "-m", name}
		for _, parent := range parents {
			args = append(args, "-p", s.commits[parent])
		}
		s.commits[name] = s.git("", args...)
	}
	commit("root")
	commit("old", "root")
	commit("main", "old")
	commit("topic", "old")
	commit("fork", "old")
	commit("gone", "old")
	commit("release", "old")
	commit("unversioned", "old")
	for ref, name := range map[string]string{
		"refs/heads/main": "main", "refs/heads/topic": "topic", "refs/pull/1/head": "fork",
		"refs/tags/v1.2.3": "release", "refs/tags/nightly": "unversioned", "refs/kept/gone": "gone",
	} {
		s.git("", "update-ref", ref, s.commits[name])
	}
	s.git("", "config", "uploadpack.allowAnySHA1InWant", "true") // as forges do
	s.git("", "config", "uploadpack.allowFilter", "true")
	all := map[string]data{"git": {"ca.crt": s.ca()}}
	open := map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderGitea: func(context.Context, providers.Config) (providers.Forge, error) {
		return providers.Forge{PullRequests: s.pulls}, nil
	}}
	access := NewAccess(secretsOf(all), open, nil)
	access.Reach = loopback(t)
	remote := git.New(git.Options{Reach: loopback(t)})
	s.source = NewSource(access, git.NewCache(remote, 1<<20), remote)
	s.repo = using(s.URL+"/repo/.git", all)
	s.repo.Spec.Provider = v1alpha1.ProviderGitea
	return s
}

func TestOnlyWhatWasPushedByWhoMayIsReachable(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(s *site)
		reachable []string
	}{
		"the default branch and its history": {nil, []string{"main", "old", "root"}},
		"branches that are watched":          {func(s *site) { s.repo.Spec.Branches = []string{"topic"} }, []string{"topic", "old", "root"}},
		"all branches":                       {func(s *site) { s.repo.Spec.Branches = []string{"*"} }, []string{"main", "topic", "old", "root"}},
		"a tag that is followed":             {func(s *site) { s.repo.Spec.Tags = &v1alpha1.TagPolicy{} }, []string{"main", "release", "old", "root"}},
		"a pull request": {func(s *site) {
			s.pulls.open = []providers.PullRequest{{Number: 2, Head: s.commits["topic"]}}
		}, []string{"main", "topic", "old", "root"}},
		"no pull request of a fork": {func(s *site) {
			s.pulls.open = []providers.PullRequest{{Number: 1, Head: s.commits["fork"], Fork: true}}
		}, []string{"main", "old", "root"}},
		"no draft": {func(s *site) {
			s.pulls.open = []providers.PullRequest{{Number: 1, Head: s.commits["topic"], Draft: true}}
		}, []string{"main", "old", "root"}},
		"no pull request where none are wanted": {func(s *site) {
			s.repo.Spec.PullRequests.From = v1alpha1.PullRequestsNone
			s.pulls.open = []providers.PullRequest{{Number: 2, Head: s.commits["topic"]}}
		}, []string{"main", "old", "root"}},
		"what the last poll saw": {func(s *site) {
			s.repo.Status.Heads = []v1alpha1.Head{{Branch: "gone", Commit: s.commits["gone"]}}
			s.repo.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 2, Commit: s.commits["topic"]}, {Number: 1, Commit: s.commits["fork"], Skipped: "its head is in a fork"}}
		}, []string{"main", "old", "root", "gone", "topic"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if c.change != nil {
				c.change(s)
			}
			want := map[string]bool{}
			for _, commit := range c.reachable {
				want[commit] = true
			}
			for commit, hash := range s.commits {
				err := s.source.Reachable(t.Context(), s.repo, hash)
				switch {
				case want[commit] && err != nil:
					t.Errorf("%s: %v", commit, err)
				case !want[commit] && fault.ReasonOf(err) != fault.CommitNotReachable:
					t.Errorf("%s may be tested: %v", commit, err)
				}
			}
		})
	}
}

// TestWhatIsReachableIsAskedOnce, and a host that has one to go back from is asked twice.
func TestWhatIsReachableIsAskedOnce(t *testing.T) {
	s := newSite(t)
	if err := s.source.Reachable(t.Context(), s.repo, s.commits["old"]); err != nil {
		t.Fatal(err)
	}
	if n := s.asked.Load(); n > 4 {
		t.Errorf("the host was asked %d times", n)
	}
	before := s.asked.Load()
	s.pulls.err = fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer")
	if err := s.source.Reachable(t.Context(), s.repo, s.commits["old"]); err != nil || s.asked.Load() != before {
		t.Errorf("it is asked for again: %v", err)
	}
	s.repo.Generation++ // other branches may be watched
	if err := s.source.Reachable(t.Context(), s.repo, s.commits["old"]); err != nil || s.asked.Load() == before {
		t.Errorf("it is not asked for again: %v", err)
	}
}

// TestAFaultThatPassesIsNoRefusal: neither of the host nor of the forge.
func TestAFaultThatPassesIsNoRefusal(t *testing.T) {
	s := newSite(t)
	s.pulls.err = fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer")
	if err := s.source.Reachable(t.Context(), s.repo, s.commits["old"]); err != nil {
		t.Errorf("a branch is enough: %v", err)
	}
	if err := s.source.Reachable(t.Context(), s.repo, s.commits["topic"]); fault.ReasonOf(err) != fault.HostUnreachable {
		t.Errorf("the forge was not asked, and it says %v", err)
	}
	s.pulls.err = nil
	s.Close()
	if err := s.source.Reachable(t.Context(), s.repo, s.commits["topic"]); err == nil || fault.Of(err) != fault.Transient {
		t.Errorf("the host was not asked, and it says %v", err)
	}
}
