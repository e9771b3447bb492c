package testrun

import (
	"context"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner/catalogs"
)

// Plan gives the plan of the run as it would be made now. It changes nothing.
func (r *Reconciler) Plan(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) ([]v1alpha1.PlannedSuite, error) {
	input, err := r.gather(ctx, run, repo, env)
	if err != nil {
		return nil, err
	}
	return catalog.Plan(input)
}

// gather gives all that the plan depends on.
func (r *Reconciler) gather(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) (catalog.PlanInput, error) {
	input := catalog.PlanInput{
		Cause:       run.Spec.Cause,
		Branch:      run.Spec.Branch,
		Requested:   run.Spec.Suites,
		TestsPath:   repo.TestsPath(),
		Environment: env,
	}
	if _, err := catalogs.Gather(ctx, commitsOf{r, run, repo}, &input); err != nil {
		return catalog.PlanInput{}, err
	}
	err := r.prove(ctx, run, repo, &input)
	return input, err
}

// commitsOf is the change from the base of a run to its commit.
type commitsOf struct {
	*Reconciler
	run  *v1alpha1.TestRun
	repo *v1alpha1.TestRepository
}

func (c commitsOf) Head(ctx context.Context) (catalog.Catalog, error) {
	return c.Catalogs.At(ctx, c.repo, c.run.Spec.Commit, c.run.Spec.Environment)
}

func (c commitsOf) Base(ctx context.Context) (catalog.Catalog, error) {
	return c.Catalogs.At(ctx, c.repo, c.run.Spec.Base, c.run.Spec.Environment)
}

// Paths are not known of a run without a base.
func (c commitsOf) Paths(ctx context.Context) ([]string, bool, error) {
	if c.run.Spec.Base == "" {
		return nil, false, nil
	}
	return c.Source.Changed(ctx, c.repo, c.run.Spec.Base, c.run.Spec.Commit)
}
