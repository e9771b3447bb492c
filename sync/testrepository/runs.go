package testrepository

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// carryOut creates the runs and cancels those of closed pull requests. It may be repeated.
func (r *Reconciler) carryOut(ctx context.Context, repo *v1alpha1.TestRepository, d decision) error {
	for _, spec := range d.Runs {
		run := runner.NewRun(repo, spec, "")
		err := r.Create(ctx, run, client.FieldOwner(fieldOwner))
		if apierrors.IsAlreadyExists(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("creating the run %q: %w", run.Name, err)
		}
		ctrl.LoggerFrom(ctx).Info("created run", "run", run.Name, "environment", spec.Environment, "commit", spec.Commit, "cause", spec.Cause.Type)
	}
	if len(d.Closed) == 0 {
		return nil
	}
	return r.cancelClosed(ctx, repo, d.Closed)
}

// cancelClosed stops what still runs for pull requests that were closed or merged: nobody
// waits for it any more.
func (r *Reconciler) cancelClosed(ctx context.Context, repo *v1alpha1.TestRepository, closed []int64) error {
	var runs v1alpha1.TestRunList
	if err := r.List(ctx, &runs, client.InNamespace(repo.Namespace), client.MatchingLabels{v1alpha1.RepositoryLabel: repo.Name}); err != nil {
		return fmt.Errorf("listing runs: %w", err)
	}
	for i := range runs.Items {
		run := &runs.Items[i]
		pull := run.Spec.Cause.PullRequest
		if pull == nil || !slices.Contains(closed, pull.Number) || run.Status.State.Final() || run.Spec.Cancel {
			continue
		}
		before := run.DeepCopy()
		run.Spec.Cancel = true
		if err := r.Patch(ctx, run, client.MergeFrom(before), client.FieldOwner(fieldOwner)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("cancelling the run %q: %w", run.Name, err)
		}
	}
	return nil
}
