// Package providerstest is what every forge has to do: one suite, run over every
// implementation of package providers. The in-memory forge passes it in every `go test`,
// real ones behind the build tag e2e.
package providerstest

import (
	"errors"
	"testing"

	"github.com/assay-dev/assay/providers"
)

// World is a forge with one repository that was made for one case.
type World struct {
	// Forge is what is tested, opened by a user that may write.
	Forge providers.Forge
	// Login of that user.
	Login string
	// Commit is the full hash of a commit without statuses.
	Commit string
	// Stranger is the same forge opened by another user who may read and comment.
	Stranger providers.Forge
	// Refused is the same forge opened with a token that the host does not know.
	Refused providers.Forge
	// Absent is the forge opened by the same user for a repository that does not exist.
	Absent providers.Forge
	// Page is how many pull requests or statuses the forge gives in one answer; 0: all.
	Page int
	// Propose opens a pull request against the default branch and says how it has to be listed.
	Propose func(t *testing.T, p Proposal) providers.PullRequest
	// Push adds a commit to the pull request's branch and gives its hash.
	Push func(t *testing.T, pr providers.PullRequest) string
	// Close closes the pull request.
	Close func(t *testing.T, pr providers.PullRequest)
}

// Proposal says what pull request to open.
type Proposal struct {
	Title string
	// Fork opens it from a fork of the stranger's.
	Fork bool
	// Draft opens it as a draft.
	Draft bool
}

// Run runs every case on a new world. Cases whose role the forge lacks are skipped, and a
// forge for which all are fails: it proves nothing.
func Run(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	ran := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			if !c.role(w.Forge) {
				t.Skipf("the forge has no role for it")
			}
			ran++
			c.run(t, w)
		})
	}
	if err := verdict(ran); err != nil {
		t.Error(err)
	}
}

func verdict(ran int) error {
	if ran == 0 {
		return errors.New("every case was skipped: the suite proves nothing")
	}
	return nil
}

type conformanceCase struct {
	name string
	role func(providers.Forge) bool
	run  func(t *testing.T, w World)
}

var cases = append(append(pullRequestCases, statusCases...), commentCases...)

func hasPullRequests(f providers.Forge) bool { return f.PullRequests != nil }
func hasStatuses(f providers.Forge) bool     { return f.Statuses != nil }
func hasComments(f providers.Forge) bool     { return f.Comments != nil }
