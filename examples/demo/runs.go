package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// finishedRuns waits until every environment has a run of the commit for the cause, and all of
// them are at their end.
func (d *demo) finishedRuns(ctx context.Context, commit string, cause v1alpha1.CauseType) ([]v1alpha1.TestRun, error) {
	var runs []v1alpha1.TestRun
	err := d.await(ctx, fmt.Sprintf("the runs of %s", short(commit)), func(ctx context.Context) (bool, string, error) {
		var err error
		if runs, err = d.cluster.runs(ctx, commit, cause); err != nil {
			return false, "", err
		}
		done, states := true, []string{}
		for _, environment := range environments {
			i := slices.IndexFunc(runs, func(r v1alpha1.TestRun) bool { return r.Spec.Environment == environment })
			state := "no run yet"
			if i >= 0 {
				state = progress(&runs[i])
			}
			done = done && i >= 0 && runs[i].Status.State.Final()
			states = append(states, environment+": "+state)
		}
		return done, strings.Join(states, "; "), nil
	})
	return runs, err
}

// progress is one line on a run.
func progress(r *v1alpha1.TestRun) string {
	s := r.Status
	if s.State.Final() {
		return fmt.Sprintf("%s (%s)", s.State, s.Message)
	}
	if len(s.Plan) == 0 {
		return "is planned"
	}
	ended := 0
	for _, suite := range s.Suites {
		if suite.State.Final() {
			ended++
		}
	}
	return fmt.Sprintf("%d of %d suites ended", ended, len(s.Suites))
}

// runs gives the runs of a commit for a cause, sorted by environment.
func (c cluster) runs(ctx context.Context, commit string, cause v1alpha1.CauseType) ([]v1alpha1.TestRun, error) {
	var list v1alpha1.TestRunList
	err := c.client.List(ctx, &list, client.InNamespace(repositoryName), client.MatchingLabels{v1alpha1.CommitLabel: commit})
	if err != nil {
		return nil, err
	}
	runs := slices.DeleteFunc(list.Items, func(r v1alpha1.TestRun) bool { return r.Spec.Cause.Type != cause })
	slices.SortFunc(runs, func(a, b v1alpha1.TestRun) int { return strings.Compare(a.Spec.Environment, b.Spec.Environment) })
	return runs, nil
}
