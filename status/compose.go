package status

import (
	"fmt"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
)

// ComposeInput is what there is to speak about.
type ComposeInput struct {
	// Repository that the commit belongs to. Required.
	Repository *v1alpha1.TestRepository
	// Commit is the full hash that the statuses are for. Required.
	Commit string
	// PullRequest is the number of the pull request whose comment is asked for; 0: none.
	PullRequest int64
	// Runs of the commit, of every cause, in any order. Runs of other commits or
	// repositories are ignored.
	Runs []v1alpha1.TestRun
	// Controller is the name of the controller, where several watch one Git repository. Empty:
	// it has none.
	Controller string
	// Limits of the forge.
	Limits providers.Limits
	// RunsURL is the root of the pages about runs; a run's is RunsURL/namespace/name.
	// Empty: there are none, and nothing is linked.
	RunsURL string
}

// Statement is what should stand on the forge.
type Statement struct {
	// Statuses of the commit, sorted by context. Other contexts are nobody's business.
	Statuses []providers.Status
	// Comment is the body of the pull request's comment, with Marker in its first line.
	// Empty: nothing is to be said, and a comment that exists stays as it is.
	Comment string
	// CommentCreate says that the comment is to be created when there is none; without it
	// only one that exists is edited.
	CommentCreate bool
	// Marker finds the comment again. It names the controller, where it has a name, and the
	// TestRepository, so that those that watch the same Git repository do not edit each
	// other's comment.
	Marker string
}

// Compose says what should stand on the forge about the runs of a commit.
//
// Each environment has one status, <prefix>/<environment>: of the runs for pull requests and
// pushes the newest speaks, one that was cancelled only when there is no other, and one for
// chosen suites never. Runs that somebody asked for since renew what it says, as
// [runner.Merge] tells. It is pending as soon as the run exists, and final in the end, also
// when no suite is concerned. With spec.statuses Suite there is
// <prefix>/<environment>/<suite> beside it for each suite that runs. Runs for schedules, and
// for what the change left out, never touch the environment's status: they are not about the
// change. They set the statuses of their suites, whatever spec.statuses says, as nothing else
// tells of them.
func Compose(in ComposeInput) Statement {
	runs := ofCommit(in)
	out := Statement{Statuses: statuses(in, runs), Marker: marker(in)}
	own := speakers(ofPullRequest(runs, in.PullRequest), runs)
	if len(own) > 0 && in.Repository.Spec.Comment != v1alpha1.CommentNever {
		out.Comment = comment(in, own, out.Marker)
		out.CommentCreate = in.Repository.Spec.Comment != v1alpha1.CommentOnFailure || anyBad(own)
	}
	return out
}

func marker(in ComposeInput) string {
	whose := in.Repository.Namespace + "/" + in.Repository.Name
	if in.Controller != "" {
		whose = in.Controller + " " + whose
	}
	return fmt.Sprintf("<!-- assay:comment:v1 %s -->", whose)
}
