package publish

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// ofPull makes a run for a pull request at a commit, or one that somebody asked for.
func ofPull(commit string, number int64, minute int) v1alpha1.TestRun {
	r := v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: commit,
		CreationTimestamp: metav1.NewTime(time.Date(2026, 3, 2, 12, minute, 0, 0, time.UTC))}}
	r.Spec.RepositoryRef.Name, r.Spec.Commit, r.Spec.Cause = "shop", commit, v1alpha1.Cause{Type: v1alpha1.CauseAPI}
	if number != 0 {
		r.Spec.Cause.Type = v1alpha1.CausePullRequest
		r.Spec.Cause.PullRequest = &v1alpha1.PullRequestRef{Number: number}
	}
	return r
}

func polledAt(heads ...v1alpha1.PullRequestHead) *v1alpha1.TestRepository {
	repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop"}}
	repo.Status.PullRequests = heads
	return repo
}

func TestTheCommentFollowsTheHead(t *testing.T) {
	runs := []v1alpha1.TestRun{ofPull("a", 7, 1), ofPull("b", 7, 2), ofPull("c", 8, 3), ofPull("d", 0, 4)}
	for name, c := range map[string]struct {
		repo *v1alpha1.TestRepository
		want string
	}{
		"the poll saw the older commit again": {polledAt(v1alpha1.PullRequestHead{Number: 7, Commit: "a"}), "a"},
		"the poll saw the newest":             {polledAt(v1alpha1.PullRequestHead{Number: 7, Commit: "b"}), "b"},
		"the poll knows nothing of it":        {polledAt(v1alpha1.PullRequestHead{Number: 8, Commit: "a"}), "b"},
		"what the poll saw has no run":        {polledAt(v1alpha1.PullRequestHead{Number: 7, Commit: "draft"}), "b"},
	} {
		for range 2 {
			if got := head(c.repo, runs, 7); got != c.want {
				t.Errorf("%s: the comment is about %q, want %q", name, got, c.want)
			}
			slices.Reverse(runs)
		}
	}
	if got := head(polledAt(), runs, 9); got != "" {
		t.Errorf("a pull request without runs has the head %q", got)
	}
}

func TestOnlyPullRequestsThatMovedWakeThePublisher(t *testing.T) {
	was := polledAt(v1alpha1.PullRequestHead{Number: 1, Commit: "a"},
		v1alpha1.PullRequestHead{Number: 2, Commit: "b"}, v1alpha1.PullRequestHead{Number: 4, Commit: "x"})
	is := polledAt(v1alpha1.PullRequestHead{Number: 1, Commit: "a", Environments: []string{"staging"}},
		v1alpha1.PullRequestHead{Number: 2, Commit: "c"}, v1alpha1.PullRequestHead{Number: 3, Commit: "d"})
	want := []Subject{{"shop", "shop", "c", 2}, {"shop", "shop", "b", 2}, {"shop", "shop", "d", 3}}
	if got := moved(was, is); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A run that somebody asked for is part of what every pull request says whose head it ran.
func TestARunThatRenewsIsAboutThePullRequestsOfItsCommit(t *testing.T) {
	all := []v1alpha1.TestRun{
		ofPull("a", 7, 1), ofPull("a", 7, 2), ofPull("a", 8, 3), ofPull("b", 9, 3), ofPull("a", 0, 4),
	}
	again := ofPull("a", 0, 5)
	want := []Subject{{"shop", "shop", "a", 0}, {"shop", "shop", "a", 7}, {"shop", "shop", "a", 8}}
	if got := about(&again, all); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := about(&all[0], all), []Subject{{"shop", "shop", "a", 7}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
