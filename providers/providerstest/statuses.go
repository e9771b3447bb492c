package providerstest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

// missingCommit has the form of a hash and is on no forge.
const missingCommit = "dead00000000000000000000000000000000beef"

var statusCases = []conformanceCase{
	{"a commit without statuses has an empty list", hasStatuses, func(t *testing.T, w World) {
		wantStatuses(t, w, w.Commit)
	}},
	{"a commit that the forge does not know has an empty list", hasStatuses, func(t *testing.T, w World) {
		wantStatuses(t, w, missingCommit)
	}},
	{"every state is written and read back", hasStatuses, func(t *testing.T, w World) {
		var want []providers.Status
		for i, state := range providers.States() {
			s := providers.Status{Context: fmt.Sprintf("assay/%d", i), State: state, Description: "says " + string(state), TargetURL: "https://assay.example/" + string(state)}
			set(t, w, s)
			want = append(want, s)
		}
		wantStatuses(t, w, w.Commit, want...)
	}},
	{"the newest status of a context stands", hasStatuses, func(t *testing.T, w World) {
		for _, state := range []providers.State{providers.Pending, providers.Failure, providers.Pending, providers.Success} {
			set(t, w, providers.Status{Context: "assay/staging", State: state})
		}
		set(t, w, providers.Status{Context: "assay/prod", State: providers.Pending})
		wantStatuses(t, w, w.Commit,
			providers.Status{Context: "assay/prod", State: providers.Pending},
			providers.Status{Context: "assay/staging", State: providers.Success})
	}},
	{"setting the same status again changes nothing", hasStatuses, func(t *testing.T, w World) {
		s := providers.Status{Context: "assay/staging", State: providers.Success, Description: "3 of 3 suites passed"}
		set(t, w, s)
		set(t, w, s)
		wantStatuses(t, w, w.Commit, s)
	}},
	{"more than a page of statuses are all listed", hasStatuses, func(t *testing.T, w World) {
		var want []providers.Status
		for i := range max(2*w.Page, 10) + 1 {
			s := providers.Status{Context: fmt.Sprintf("assay/%02d", i), State: providers.Success}
			set(t, w, s)
			want = append(want, s)
		}
		wantStatuses(t, w, w.Commit, want...)
	}},
	{"a description as long as the limit is kept, a longer one refused", hasStatuses, func(t *testing.T, w World) {
		limit := w.Forge.Limits.Description
		if limit == 0 {
			t.Skip("no limit")
		}
		s := providers.Status{Context: "assay/staging", State: providers.Success, Description: strings.Repeat("é", limit)}
		set(t, w, s)
		wantStatuses(t, w, w.Commit, s)
		s.Description += "é"
		wantReason(t, w.Forge.Statuses.Set(t.Context(), w.Commit, s), fault.InvalidSpec)
	}},
	{"a state that cannot be written is refused", hasStatuses, func(t *testing.T, w World) {
		wantReason(t, w.Forge.Statuses.Set(t.Context(), w.Commit, providers.Status{Context: "assay/a", State: providers.Unknown}), fault.InvalidSpec)
		wantReason(t, w.Forge.Statuses.Set(t.Context(), w.Commit, providers.Status{State: providers.Success}), fault.InvalidSpec)
	}},
	{"a commit that is gone is told from other failures", hasStatuses, func(t *testing.T, w World) {
		s := providers.Status{Context: "assay/staging", State: providers.Pending}
		wantReason(t, w.Forge.Statuses.Set(t.Context(), missingCommit, s), fault.RefNotFound)
		wantReason(t, w.Refused.Statuses.Set(t.Context(), w.Commit, s), fault.AuthenticationFailed)
		wantReason(t, w.Absent.Statuses.Set(t.Context(), w.Commit, s), fault.RepositoryNotFound)
		_, err := w.Absent.Statuses.List(t.Context(), w.Commit)
		wantReason(t, err, fault.RepositoryNotFound)
	}},
}

func set(t *testing.T, w World, s providers.Status) {
	t.Helper()
	if err := w.Forge.Statuses.Set(t.Context(), w.Commit, s); err != nil {
		t.Fatal(err)
	}
}

func wantStatuses(t *testing.T, w World, commit string, want ...providers.Status) {
	t.Helper()
	got, err := w.Forge.Statuses.List(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]providers.Status{}, want...), append([]providers.Status{}, got...)); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
