package testrepository

import (
	"context"
	"fmt"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/runs"
)

// carryOut creates the runs and cancels those of closed pull requests. It may be repeated.
func (r *Reconciler) carryOut(ctx context.Context, repo *v1alpha1.TestRepository, d decision) error {
	for _, spec := range d.Runs {
		if err := r.create(ctx, repo, runner.NewRun(repo, spec, "")); err != nil {
			return err
		}
	}
	if len(d.Closed) == 0 {
		return nil
	}
	return r.cancelClosed(ctx, repo, d.Closed)
}

// create creates a run, unless it exists. One that was cancelled when its head went away, with
// its pull request, is repeated: the head is back.
func (r *Reconciler) create(ctx context.Context, repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) error {
	for {
		there, made, err := runs.Make(ctx, r.Client, r.Key, run, fieldOwner)
		switch {
		case err != nil:
			return err
		case made:
			ctrl.LoggerFrom(ctx).Info("created run", "run", there.Name, "environment", there.Spec.Environment, "commit", there.Spec.Commit, "cause", there.Spec.Cause.Type)
			return nil
		case !there.Spec.Cancel:
			return r.cancelNewer(ctx, repo, there)
		}
		run = repeatOf(repo, there)
	}
}

// cancelNewer stops what still runs for the commits that a head has gone back from, to one that has its run. By their
// age nothing supersedes them.
func (r *Reconciler) cancelNewer(ctx context.Context, repo *v1alpha1.TestRepository, head *v1alpha1.TestRun) error {
	moving, ofHead := head.Spec.HeadOf()
	if !ofHead {
		return nil
	}
	return r.cancel(ctx, repo, func(run *v1alpha1.TestRun) bool {
		other, ok := run.Spec.HeadOf()
		return ok && other == moving && run.Spec.Environment == head.Spec.Environment &&
			run.Spec.Commit != head.Spec.Commit && !run.CreationTimestamp.Before(&head.CreationTimestamp)
	})
}

// cancelClosed stops what still runs for pull requests that were closed or merged: nobody
// waits for it any more.
func (r *Reconciler) cancelClosed(ctx context.Context, repo *v1alpha1.TestRepository, closed []int64) error {
	return r.cancel(ctx, repo, func(run *v1alpha1.TestRun) bool {
		pull := run.Spec.Cause.PullRequest
		return pull != nil && slices.Contains(closed, pull.Number)
	})
}

// cancel cancels the runs that are unwanted and have not ended.
func (r *Reconciler) cancel(ctx context.Context, repo *v1alpha1.TestRepository, unwanted func(*v1alpha1.TestRun) bool) error {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(repo.Namespace, repo.Name)); err != nil {
		return fmt.Errorf("listing runs: %w", err)
	}
	for i := range all.Items {
		run := &all.Items[i]
		if run.Status.State.Final() || run.Spec.Cancel || !unwanted(run) {
			continue
		}
		cancelled := run.DeepCopy()
		cancelled.Spec.Cancel = true
		if err := r.Patch(ctx, cancelled, client.MergeFrom(run), client.FieldOwner(fieldOwner)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("cancelling the run %q: %w", run.Name, err)
		}
	}
	return nil
}
