package testrun

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/runner/catalogs"
)

// maxDiffBytes is what status.catalogDiff may take of the run.
const maxDiffBytes = 16 << 10

// planned is what there is to say of a run before it starts.
type planned struct {
	suites []v1alpha1.PlannedSuite
	// diff from the catalog of the base; nil when that is not known.
	diff *v1alpha1.CatalogDifference
	// nothing says why there is nothing to run at the commit; empty when there is.
	nothing string
}

// Plan gives the plan of the run as it would be made now. It changes nothing.
func (r *Reconciler) Plan(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) ([]v1alpha1.PlannedSuite, error) {
	p, err := r.plan(ctx, run, repo, env)
	return p.suites, err
}

func (r *Reconciler) plan(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) (planned, error) {
	input, err := r.gather(ctx, run, repo, env)
	if fault.ReasonOf(err) == fault.CatalogNotFound && len(run.Spec.Suites) == 0 {
		nothing := fmt.Sprintf("there is no folder %q at this commit: nothing to run", repo.TestsPath())
		return planned{nothing: nothing}, nil
	}
	if err != nil {
		return planned{}, err
	}
	suites, err := catalog.Plan(input)
	if err != nil || input.Base == nil {
		return planned{suites: suites}, err
	}
	diff := render.Shortened(render.Diff(*input.Base, input.Head), maxDiffBytes)
	return planned{suites: suites, diff: &diff}, nil
}

// gather gives all that the plan depends on. Nothing of a commit is looked at that may not be
// tested.
func (r *Reconciler) gather(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, env *v1alpha1.TestEnvironment) (catalog.PlanInput, error) {
	if !run.Spec.Cause.Type.Rules().Proved { // else the controller saw the commit itself
		if err := r.Admission.Reachable(ctx, repo, run.Spec.Commit); err != nil {
			return catalog.PlanInput{}, err
		}
	}
	if err := r.Source.Verify(ctx, repo, run.Spec.Commit); err != nil {
		return catalog.PlanInput{}, err
	}
	input := catalog.PlanInput{
		Cause:       run.Spec.Cause,
		Branch:      run.Spec.Branch,
		Tag:         run.Spec.Tag,
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
