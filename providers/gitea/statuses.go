package gitea

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

type statuses struct{ *forge }

// written maps our states to Gitea's. It is total: providerstest writes every state.
var written = map[providers.State]sdk.StatusState{
	providers.Pending: sdk.StatusPending,
	providers.Success: sdk.StatusSuccess,
	providers.Failure: sdk.StatusFailure,
	providers.Error:   sdk.StatusError,
}

// read is the way back; warning, skipped and whatever comes are providers.Unknown.
func read(state sdk.StatusState) providers.State {
	for ours, theirs := range written {
		if theirs == state {
			return ours
		}
	}
	return providers.Unknown
}

// List implements providers.Statuses. Gitea keeps every status ever set, numbered within the
// commit; the highest number of a context stands.
func (s statuses) List(ctx context.Context, commit string) ([]providers.Status, error) {
	client, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[string]*sdk.Status{}
	missing := false
	err = s.pages(ctx, "statuses", func(options sdk.ListOptions) (*sdk.Response, error) {
		list, response, err := client.ListStatuses(s.repository.Owner, s.repository.Name, commit, sdk.ListStatusesOption{ListOptions: options})
		if err != nil {
			missing = response != nil && response.Response != nil && response.StatusCode == http.StatusNotFound
			return response, err
		}
		for _, status := range list {
			if old := newest[status.Context]; old == nil || status.ID > old.ID {
				newest[status.Context] = status
			}
		}
		return response, nil
	})
	if missing && s.repositoryExists(client) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := make([]providers.Status, 0, len(newest))
	for _, status := range newest {
		all = append(all, providers.Status{Context: status.Context, State: read(status.State), Description: status.Description, TargetURL: status.TargetURL})
	}
	slices.SortFunc(all, func(a, b providers.Status) int { return cmp.Compare(a.Context, b.Context) })
	return all, nil
}

// Set implements providers.Statuses. Under load Gitea now and then answers that the token's
// user does not exist, though the commit is there: such a write is repeated, twice at most.
func (s statuses) Set(ctx context.Context, commit string, status providers.Status) error {
	state, ok := written[status.State]
	switch {
	case !ok:
		return fault.New(fault.InvalidSpec, s.place(), "", "a status cannot have the state %q", status.State)
	case status.Context == "":
		return fault.New(fault.InvalidSpec, s.place(), "", "a status needs a context")
	case len([]rune(status.Description)) > limits.Description:
		return fault.New(fault.InvalidSpec, s.place(), "", "the description of %q is longer than %d characters", status.Context, limits.Description)
	}
	client, err := s.client(ctx)
	if err != nil {
		return err
	}
	const attempts = 3
	for attempt := 1; ; attempt++ {
		_, response, err := client.CreateStatus(s.repository.Owner, s.repository.Name, commit, sdk.CreateStatusOption{
			State: state, TargetURL: status.TargetURL, Description: status.Description, Context: status.Context})
		if err == nil {
			return nil
		}
		if s.gone(response, func() (*sdk.Response, error) {
			_, again, err := client.GetSingleCommit(s.repository.Owner, s.repository.Name, commit)
			return again, err
		}) && s.repositoryExists(client) {
			return s.refNotFound("the commit "+commit, err)
		}
		refused := response != nil && response.Response != nil &&
			(response.StatusCode == http.StatusInternalServerError ||
				response.StatusCode == http.StatusNotFound && s.repositoryExists(client))
		if !refused || attempt == attempts || !pause(ctx, time.Duration(attempt)*250*time.Millisecond) {
			return s.classify(ctx, response, err)
		}
	}
}

// pause waits, and says whether the context still lives.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
