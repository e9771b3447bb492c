package main

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/status"
)

// renewed says what the run changed for its commit: the verdict of an environment, which stands
// on the forge, may be renewed by it. It is empty where the run is about nothing else's verdict.
func renewed(ctx context.Context, c client.Reader, run *v1alpha1.TestRun) (string, error) {
	labels := runner.RunLabels(run.Spec.RepositoryRef.Name, run.Spec)
	var all v1alpha1.TestRunList
	err := c.List(ctx, &all, client.InNamespace(run.Namespace), client.MatchingLabels{
		v1alpha1.RepositoryLabel: labels[v1alpha1.RepositoryLabel], v1alpha1.CommitLabel: labels[v1alpha1.CommitLabel]})
	if err != nil {
		return "", fmt.Errorf("listing the runs of the commit: %w", err)
	}
	state, line, ok := status.Renewed(run, all.Items)
	if !ok {
		return "", nil
	}
	return fmt.Sprintf("The verdict of %s on commit %.12s is renewed: %s: %s",
		run.Spec.Environment, run.Spec.Commit, state, line), nil
}
