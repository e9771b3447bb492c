package testrun

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/runs"
)

// superseded says whether a newer commit of the same branch or pull request has its run.
// Scheduled runs and those that somebody asked for stand for themselves.
func (r *Reconciler) superseded(ctx context.Context, run *v1alpha1.TestRun) (bool, error) {
	if _, ofHead := run.Spec.HeadOf(); !ofHead {
		return false, nil
	}
	repo := &v1alpha1.TestRepository{}
	key := types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.RepositoryRef.Name}
	if err := r.Get(ctx, key, repo); client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("reading the TestRepository %q: %w", key, err)
	}
	var siblings v1alpha1.TestRunList
	if err := r.List(ctx, &siblings, runs.OfRepository(run.Namespace, run.Spec.RepositoryRef.Name)); err != nil {
		return false, fmt.Errorf("listing the runs beside: %w", err)
	}
	for i := range siblings.Items {
		if r.Key.IsRun(&siblings.Items[i]) && sameSubject(run, &siblings.Items[i]) && newer(&siblings.Items[i], run, repo) {
			return true, nil
		}
	}
	return false, nil
}

// sameSubject says whether both are about one branch, one tag or one pull request, at different commits.
func sameSubject(a, b *v1alpha1.TestRun) bool {
	x, _ := a.Spec.HeadOf()
	y, ofHead := b.Spec.HeadOf()
	return ofHead && x == y && a.Spec.Commit != b.Spec.Commit && a.Spec.Environment == b.Spec.Environment
}

// newer says whether a came after b. The API server's times have seconds only: within one,
// the head that the repository's status knows decides.
func newer(a, b *v1alpha1.TestRun, repo *v1alpha1.TestRepository) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return b.CreationTimestamp.Before(&a.CreationTimestamp)
	}
	if pull := a.Spec.Cause.PullRequest; pull != nil {
		for _, head := range repo.Status.PullRequests {
			if head.Number == pull.Number {
				return head.Commit == a.Spec.Commit
			}
		}
		return false
	}
	return a.Spec.Base == b.Spec.Commit
}
