package testrepository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/runs"
)

// repeat creates runs anew for heads whose last one says nothing of them: what ended it is over, see
// [obstacles]; or somebody asks for it, and it ended Errored, whatever the reason. Secrets are not
// watched, and hosts cannot be, so that it is the poll that finds out. It may be repeated.
func (r *Reconciler) repeat(ctx context.Context, repo *v1alpha1.TestRepository) error {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(repo.Namespace, repo.Name)); err != nil {
		return fmt.Errorf("listing runs: %w", err)
	}
	own := slices.DeleteFunc(slices.Clone(all.Items), func(run v1alpha1.TestRun) bool { return !r.Key.IsRun(&run) })
	request := requestOf(repo)
	var failed []error
	for _, run := range unanswered(repo, own) {
		wanted, err := r.wanted(ctx, repo, run, request)
		if err == nil && wanted {
			again := repeatOf(repo, run)
			if request != "" {
				metav1.SetMetaDataAnnotation(&again.ObjectMeta, v1alpha1.ReconcileRequestAnnotation, request)
			}
			err = r.create(ctx, repo, again)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// wanted says whether a run that says nothing of its head is to be repeated now. A request repeats
// what it finds, and not what itself has made: then the head would run until it passed.
func (r *Reconciler) wanted(
	ctx context.Context, repo *v1alpha1.TestRepository, run *v1alpha1.TestRun, request string,
) (bool, error) {
	over, known := obstacles[obstacleOf(run)]
	if !known {
		return request != "" && run.Annotations[v1alpha1.ReconcileRequestAnnotation] != request, nil
	}
	err := over(r, ctx, repo, run)
	if err != nil && fault.Of(err) == fault.User {
		return false, nil // it would end the same way
	}
	return err == nil, err
}

// requestOf gives what somebody asks for that was not handled yet. A webhook asks for a poll alone.
func requestOf(repo *v1alpha1.TestRepository) string {
	request := repo.Annotations[v1alpha1.ReconcileRequestAnnotation]
	if request == repo.Status.LastHandledReconcileAt || strings.HasPrefix(request, v1alpha1.WebhookRequestPrefix) {
		return ""
	}
	return request
}

// repeatOf is named for the run that it repeats, so that each is repeated once.
func repeatOf(repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) *v1alpha1.TestRun {
	spec := *run.Spec.DeepCopy()
	spec.Cancel = false
	return runner.NewRun(repo, spec, run.Name)
}

// silent says whether a run says nothing of its head.
func silent(run *v1alpha1.TestRun) bool {
	return run.Status.State == v1alpha1.StateErrored || superseded(run)
}

// unanswered gives the newest runs of the heads that the repository's status knows, as far as they
// say nothing of them, are not repeated yet, and nobody asked for a run that does.
func unanswered(repo *v1alpha1.TestRepository, runs []v1alpha1.TestRun) []*v1alpha1.TestRun {
	if !slices.ContainsFunc(runs, func(run v1alpha1.TestRun) bool { return silent(&run) }) {
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
		case !silent(run):
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
		run := newest[subject]
		answered := func(other v1alpha1.TestRun) bool { return answers(&other, run) }
		if run != nil && rank(run) == 1 && !slices.ContainsFunc(runs, answered) {
			found = append(found, run)
		}
	}
	return found
}

// answers says whether a run that somebody asked for says, or is about to say, what another does not:
// how the suites end that had no result, or all of them where there was no plan.
func answers(other, run *v1alpha1.TestRun) bool {
	asked := other.Spec.Cause.Type == v1alpha1.CauseAPI &&
		other.Spec.Commit == run.Spec.Commit && other.Spec.Environment == run.Spec.Environment
	if !asked || other.CreationTimestamp.Before(&run.CreationTimestamp) {
		return false
	}
	if silent(other) || other.Status.State == v1alpha1.StateCancelled {
		return false
	}
	if len(other.Spec.Suites) == 0 {
		return true
	}
	for _, suite := range run.Status.Suites {
		if suite.State == v1alpha1.StateErrored && !slices.Contains(other.Spec.Suites, suite.Name) {
			return false
		}
	}
	return obstacleOf(run) == ""
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
