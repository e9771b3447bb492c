package publish

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Subject is what is spoken about: a commit of a TestRepository, and the pull request whose
// comment tells of it.
type Subject struct {
	Namespace string
	// Repository is the name of the TestRepository.
	Repository string
	// Commit is the full hash.
	Commit string
	// PullRequest is 0 for runs that are not for one.
	PullRequest int64
}

// SubjectOf gives the subject that the run belongs to.
func SubjectOf(r *v1alpha1.TestRun) Subject {
	s := Subject{Namespace: r.Namespace, Repository: r.Spec.RepositoryRef.Name, Commit: r.Spec.Commit}
	if pr := r.Spec.Cause.PullRequest; pr != nil {
		s.PullRequest = pr.Number
	}
	return s
}

// head gives the commit that the pull request's comment is about: that of its newest run.
// Within the same second what the last poll saw decides, then the hash, so that one of them
// does. runs are all of the repository.
func head(repository *v1alpha1.TestRepository, runs []v1alpha1.TestRun, pullRequest int64) string {
	polled := ""
	for _, pr := range repository.Status.PullRequests {
		if pr.Number == pullRequest {
			polled = pr.Commit
		}
	}
	var own []*v1alpha1.TestRun
	for i := range runs {
		if SubjectOf(&runs[i]).PullRequest == pullRequest && runs[i].Spec.RepositoryRef.Name == repository.Name {
			own = append(own, &runs[i])
		}
	}
	if len(own) == 0 {
		return ""
	}
	return slices.MaxFunc(own, func(a, b *v1alpha1.TestRun) int {
		return cmp.Or(
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(number(a.Spec.Commit == polled), number(b.Spec.Commit == polled)),
			cmp.Compare(a.Spec.Commit, b.Spec.Commit),
		)
	}).Spec.Commit
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// changed lets events through that can change what is said. The attempts of a suite cannot,
// nor can what was published.
func changed() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, okOld := e.ObjectOld.(*v1alpha1.TestRun)
			is, okNew := e.ObjectNew.(*v1alpha1.TestRun)
			return !okOld || !okNew || !equality.Semantic.DeepEqual(spoken(was), spoken(is))
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// spoken keeps of a run what is spoken about.
func spoken(r *v1alpha1.TestRun) v1alpha1.TestRun {
	var out v1alpha1.TestRun
	out.DeletionTimestamp = r.DeletionTimestamp
	out.Status = *r.Status.DeepCopy()
	out.Status.Published, out.Status.ObservedGeneration = "", 0
	out.Status.StartTime, out.Status.CompletionTime = nil, nil
	for i := range out.Status.Suites {
		out.Status.Suites[i].Attempts = nil
	}
	for i := range out.Status.Conditions {
		out.Status.Conditions[i].LastTransitionTime.Reset()
		out.Status.Conditions[i].ObservedGeneration = 0
	}
	return out
}
