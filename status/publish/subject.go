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

// head gives the commit that the pull request's comment is about: the one that the last poll
// saw, where it has a run. Where it has none, or the poll does not know the pull request, that
// of the newest run, and within the same second the greater hash, so that one of them is it.
// runs are all of the repository.
func head(repository *v1alpha1.TestRepository, runs []v1alpha1.TestRun, pullRequest int64) string {
	polled := ""
	for _, pr := range repository.Status.PullRequests {
		if pr.Number == pullRequest {
			polled = pr.Commit
		}
	}
	var newest *v1alpha1.TestRun
	for i := range runs {
		run := &runs[i]
		if SubjectOf(run).PullRequest != pullRequest || run.Spec.RepositoryRef.Name != repository.Name {
			continue
		}
		if run.Spec.Commit == polled {
			return polled
		}
		if newest == nil || later(run, newest) {
			newest = run
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Spec.Commit
}

func later(a, b *v1alpha1.TestRun) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Spec.Commit, b.Spec.Commit)) > 0
}

// moved gives the subjects of the pull requests whose commit changed: the comment leaves the
// one and belongs to the other.
func moved(was, is *v1alpha1.TestRepository) []Subject {
	before := map[int64]string{}
	for _, pr := range was.Status.PullRequests {
		before[pr.Number] = pr.Commit
	}
	var subjects []Subject
	for _, pr := range is.Status.PullRequests {
		old, known := before[pr.Number]
		if known && old == pr.Commit {
			continue
		}
		s := Subject{Namespace: is.Namespace, Repository: is.Name, PullRequest: pr.Number, Commit: pr.Commit}
		subjects = append(subjects, s)
		if s.Commit = old; known {
			subjects = append(subjects, s)
		}
	}
	return subjects
}

// about gives the subjects whose statement the run is part of: its own, and for one that may
// renew what others said, theirs. all are the runs of the repository.
func about(run *v1alpha1.TestRun, all []v1alpha1.TestRun) []Subject {
	own := SubjectOf(run)
	subjects := []Subject{own}
	if !run.Spec.Cause.Type.Rules().Renews {
		return subjects
	}
	for i := range all {
		s := SubjectOf(&all[i])
		here := s.Namespace == own.Namespace && s.Repository == own.Repository && s.Commit == own.Commit
		if here && s.PullRequest != 0 && !slices.Contains(subjects, s) {
			subjects = append(subjects, s)
		}
	}
	return subjects
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
