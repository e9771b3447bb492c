package testrepository

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/runs"
)

// repeat creates runs anew for heads whose last one says nothing of them, for a reason that is
// over: it was refused for its signature, and would not be with the keys of today; or it was
// superseded by a head that is gone again. Secrets are not watched, so that it is the poll that
// finds out. It may be repeated.
func (r *Reconciler) repeat(ctx context.Context, repo *v1alpha1.TestRepository) error {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(repo.Namespace, repo.Name)); err != nil {
		return fmt.Errorf("listing runs: %w", err)
	}
	for _, run := range unanswered(repo, all.Items) {
		if refused(run) {
			err := r.Verifier.Verify(ctx, repo, run.Spec.Commit)
			if err != nil && fault.Of(err) == fault.User {
				continue // it is refused still
			}
			if err != nil {
				return err
			}
		}
		if err := r.create(ctx, repo, repeatOf(repo, run)); err != nil {
			return err
		}
	}
	return nil
}

// repeatOf is named for the run that it repeats, so that each is repeated once.
func repeatOf(repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) *v1alpha1.TestRun {
	spec := *run.Spec.DeepCopy()
	spec.Cancel = false
	return runner.NewRun(repo, spec, run.Name)
}

// unanswered gives the newest runs of the heads that the repository's status knows, as far as
// they were refused or superseded and are not repeated yet.
func unanswered(repo *v1alpha1.TestRepository, runs []v1alpha1.TestRun) []*v1alpha1.TestRun {
	if !slices.ContainsFunc(runs, func(run v1alpha1.TestRun) bool { return refused(&run) || superseded(&run) }) {
		return nil
	}
	names := map[string]bool{}
	for i := range runs {
		names[runs[i].Name] = true
	}
	// Times have seconds only; within one, a run with an answer is the newest, and then one that
	// was not repeated.
	rank := func(run *v1alpha1.TestRun) int {
		switch {
		case !refused(run) && !superseded(run):
			return 2
		case !names[repeatOf(repo, run).Name]:
			return 1
		}
		return 0
	}
	newest := map[about]*v1alpha1.TestRun{}
	for i := range runs {
		run := &runs[i]
		before := newest[aboutOf(run)]
		if before == nil || cmp.Or(run.CreationTimestamp.Compare(before.CreationTimestamp.Time), cmp.Compare(rank(run), rank(before)), cmp.Compare(before.Name, run.Name)) > 0 {
			newest[aboutOf(run)] = run
		}
	}
	var found []*v1alpha1.TestRun
	for _, subject := range current(repo) {
		if run := newest[subject]; run != nil && rank(run) == 1 {
			found = append(found, run)
		}
	}
	return found
}

// about is what a run of a head is about.
type about struct {
	branch, tag         string
	pullRequest         int64
	commit, environment string
}

// aboutOf gives something that is no head's for runs of other causes: their next time is
// their schedule's or their asker's to choose.
func aboutOf(run *v1alpha1.TestRun) about {
	s := about{commit: run.Spec.Commit, environment: run.Spec.Environment}
	if moving, ok := run.Spec.HeadOf(); ok {
		s.branch, s.tag, s.pullRequest = moving.Branch, moving.Tag, moving.PullRequest
	}
	return s
}

// current gives what has to have its run: each head in each environment.
func current(repo *v1alpha1.TestRepository) []about {
	var all []about
	in := func(s about, environments []string) {
		for _, s.environment = range environments {
			all = append(all, s)
		}
	}
	for _, h := range repo.Status.Heads {
		in(about{branch: h.Branch, commit: h.Commit}, h.Environments)
	}
	if h := repo.Status.Tag; h != nil {
		in(about{tag: h.Name, commit: h.Commit}, h.Environments)
	}
	for _, h := range repo.Status.PullRequests {
		in(about{pullRequest: h.Number, commit: h.Commit}, h.Environments)
	}
	return all
}

// refused says whether a run ended before it was planned, for its signature or because the
// keys could not be read.
func refused(run *v1alpha1.TestRun) bool {
	planned := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.PlannedCondition)
	return run.Status.State == v1alpha1.StateErrored && planned != nil && planned.Status == metav1.ConditionFalse &&
		slices.Contains([]string{string(fault.SignatureInvalid), string(fault.SecretInvalid)}, planned.Reason)
}

// superseded says whether a run was cancelled for another head, and not by somebody.
func superseded(run *v1alpha1.TestRun) bool {
	ready := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.ReadyCondition)
	return run.Status.State == v1alpha1.StateCancelled && ready != nil && ready.Reason == v1alpha1.SupersededReason
}
