package memory_test

import (
	"fmt"
	"testing"

	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/memory"
	"github.com/assay-dev/assay/providers/providerstest"
)

func TestMemoryConforms(t *testing.T) {
	providerstest.Run(t, func(t *testing.T) providerstest.World {
		host, absent := memory.New("assay", "eve"), memory.New("assay")
		absent.Remove()
		commits := 0
		commit := func() string {
			commits++
			hash := fmt.Sprintf("%040x", commits)
			host.AddCommit(hash)
			return hash
		}
		base := commit()
		w := providerstest.World{
			Forge: open(t, host, "assay"), Login: "assay", Commit: base,
			Stranger: open(t, host, "eve"), Refused: open(t, host, "wrong"), Absent: open(t, absent, "assay"),
		}
		number := int64(0)
		w.Propose = func(t *testing.T, p providerstest.Proposal) providers.PullRequest {
			number++
			pr := providers.PullRequest{
				Number: number, URL: fmt.Sprintf("https://forge.example/team/shop/pulls/%d", number), Title: p.Title, Author: "assay",
				Head: commit(), Base: base, TargetBranch: "main", SourceBranch: fmt.Sprintf("topic-%d", number), Fork: p.Fork, Draft: p.Draft,
			}
			host.PutPullRequest(pr)
			return pr
		}
		w.Push = func(t *testing.T, pr providers.PullRequest) string {
			pr.Head = commit()
			host.PutPullRequest(pr)
			return pr.Head
		}
		w.Close = func(t *testing.T, pr providers.PullRequest) { host.ClosePullRequest(pr.Number) }
		return w
	})
}

func open(t *testing.T, host *memory.Host, user string) providers.Forge {
	t.Helper()
	f, err := host.Open(t.Context(), providers.Config{Token: user})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
