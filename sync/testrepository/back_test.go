package testrepository

import (
	"testing"

	"github.com/assay-dev/assay/providers"
)

// TestAHeadThatGoesBack: what still runs for the commit that left the pull request is cancelled, though it is the newer;
// when that comes again, it has another run.
func TestAHeadThatGoesBack(t *testing.T) {
	s := newStage(t)
	head := func(commit string) {
		s.pulls = []providers.PullRequest{{Number: 7, Head: hash(commit), Base: hash("a"), TargetBranch: "main"}}
		s.polls()
	}
	live := func() (commits string) {
		for _, run := range s.runs() {
			if run.Spec.Cause.PullRequest != nil && !run.Spec.Cancel {
				commits += run.Spec.Commit[:1]
			}
		}
		return commits
	}
	for _, step := range []struct{ to, want string }{{"b", "b"}, {"c", "bc"}, {"b", "b"}, {"b", "b"}, {"c", "bc"}} {
		head(step.to)
		if got := live(); got != step.want {
			t.Fatalf("at %s the runs of %q are not cancelled, want %q", step.to, got, step.want)
		}
	}
}
