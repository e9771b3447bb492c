package runner

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// NewRun gives the TestRun to create for a repository: named for its cause, labelled, and
// owned by the repository, in whose namespace it lives. request tells runs of cause API
// apart, or names the run that one repeats; it may be empty.
func NewRun(repo *v1alpha1.TestRepository, spec v1alpha1.TestRunSpec, request string) *v1alpha1.TestRun {
	spec.RepositoryRef.Name = repo.Name
	return &v1alpha1.TestRun{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.TestRunKind},
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       repo.Namespace,
			Name:            RunName(repo.Name, spec.Environment, subject(spec), causeWords(spec, request)...),
			Labels:          RunLabels(repo.Name, spec),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(repo, repositoryKind())},
		},
		Spec: spec,
	}
}

// Renamed gives the run to create where its name is somebody else's.
func Renamed(run *v1alpha1.TestRun) *v1alpha1.TestRun {
	other := run.DeepCopy()
	other.Name = RunName(run.Spec.RepositoryRef.Name, run.Spec.Environment, subject(run.Spec), "instead of", run.Name)
	other.UID, other.ResourceVersion = "", ""
	return other
}

// RunLabels are the labels by which a run is found. A run that somebody created without them
// gets them from the controller.
func RunLabels(repository string, spec v1alpha1.TestRunSpec) map[string]string {
	labels := map[string]string{
		v1alpha1.ManagedByLabel:   v1alpha1.ManagedBy,
		v1alpha1.RepositoryLabel:  repository,
		v1alpha1.EnvironmentLabel: spec.Environment,
		v1alpha1.CommitLabel:      spec.Commit[:min(len(spec.Commit), maxLabel)],
		v1alpha1.CauseLabel:       strings.ToLower(string(spec.Cause.Type)),
	}
	if pull := spec.Cause.PullRequest; pull != nil {
		labels[v1alpha1.PullRequestLabel] = fmt.Sprint(pull.Number)
	}
	return labels
}

func repositoryKind() schema.GroupVersionKind {
	return v1alpha1.GroupVersion.WithKind(v1alpha1.TestRepositoryKind)
}

// subject is what a run is about: its commit. A scheduled time has one run, wherever the branch is
// by then.
func subject(spec v1alpha1.TestRunSpec) string {
	if at := spec.Cause.ScheduledTime; at != nil {
		return at.UTC().Format("01021504")
	}
	return spec.Commit
}

// causeWords are what tells one cause from another: the move of a branch or tag, the number of a
// pull request, the scheduled time.
func causeWords(spec v1alpha1.TestRunSpec, request string) []string {
	words := []string{string(spec.Cause.Type), request}
	switch {
	case spec.Cause.PullRequest != nil:
		return append(words, fmt.Sprint(spec.Cause.PullRequest.Number))
	case spec.Cause.ScheduledTime != nil:
		return append(words, spec.Cause.ScheduledTime.UTC().Format("2006-01-02T15:04Z"))
	case spec.Tag != "":
		// One word more than a branch has, so that no branch has the same words.
		return append(words, "tag", spec.Tag, spec.Base)
	}
	return append(words, spec.Branch, spec.Base)
}
