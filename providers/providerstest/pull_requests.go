package providerstest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

var pullRequestCases = []conformanceCase{
	{"a repository without pull requests has an empty list", hasPullRequests, func(t *testing.T, w World) {
		wantOpen(t, w)
	}},
	{"open pull requests are listed by number with head, merge base and branches", hasPullRequests, func(t *testing.T, w World) {
		first := w.Propose(t, Proposal{Title: "First"})
		second := w.Propose(t, Proposal{Title: "Second, with | and <b> and ✓"})
		wantOpen(t, w, first, second)
	}},
	{"a fork and a draft are marked", hasPullRequests, func(t *testing.T, w World) {
		fork := w.Propose(t, Proposal{Title: "From outside", Fork: true})
		draft := w.Propose(t, Proposal{Title: "Not yet", Draft: true})
		if !fork.Fork || fork.Draft || draft.Fork || !draft.Draft {
			t.Fatalf("the world contradicts itself: %+v, %+v", fork, draft)
		}
		wantOpen(t, w, fork, draft)
	}},
	{"a push moves the head", hasPullRequests, func(t *testing.T, w World) {
		pr := w.Propose(t, Proposal{Title: "Moving"})
		pr.Head = w.Push(t, pr)
		wantOpen(t, w, pr)
	}},
	{"a closed pull request is not listed", hasPullRequests, func(t *testing.T, w World) {
		gone, stays := w.Propose(t, Proposal{Title: "Gone"}), w.Propose(t, Proposal{Title: "Stays"})
		w.Close(t, gone)
		wantOpen(t, w, stays)
	}},
	{"more than a page of pull requests are all listed", hasPullRequests, func(t *testing.T, w World) {
		var want []providers.PullRequest
		for range w.Page + 1 {
			want = append(want, w.Propose(t, Proposal{Title: "One of many"}))
		}
		wantOpen(t, w, want...)
	}},
	{"faults of the connection are told apart", hasPullRequests, func(t *testing.T, w World) {
		_, err := w.Refused.PullRequests.Open(t.Context())
		wantReason(t, err, fault.AuthenticationFailed)
		_, err = w.Absent.PullRequests.Open(t.Context())
		wantReason(t, err, fault.RepositoryNotFound)
	}},
}

func wantOpen(t *testing.T, w World, want ...providers.PullRequest) {
	t.Helper()
	got, err := w.Forge.PullRequests.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]providers.PullRequest{}, want...), got); diff != "" {
		t.Errorf("open pull requests (-want +got):\n%s", diff)
	}
}

func wantReason(t *testing.T, err error, want fault.Reason) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %s", want)
	} else if got := fault.ReasonOf(err); got != want {
		t.Errorf("reason %s, want %s: %v", got, want, err)
	}
}
