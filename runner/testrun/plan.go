package testrun

import (
	"context"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
)

// maxDiffBytes is what status.catalogDiff may take of the run.
const maxDiffBytes = 16 << 10

// planned is what there is to say of a run before it starts.
type planned struct {
	suites []v1alpha1.PlannedSuite
	// diff from the catalog of the base; nil when that is not known.
	diff *v1alpha1.CatalogDifference
}

// plan gathers what a plan depends on, and asks for it.
func (r *Reconciler) plan(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository) (planned, error) {
	head, err := r.Catalogs.At(ctx, repo, run.Spec.Commit, run.Spec.Environment)
	if err != nil {
		return planned{}, err
	}
	input := catalog.PlanInput{
		Head:      head,
		Cause:     run.Spec.Cause,
		Branch:    run.Spec.Branch,
		Requested: run.Spec.Suites,
		TestsPath: repo.TestsPath(),
	}
	if run.Spec.Base != "" {
		if err := r.compare(ctx, run, repo, &input); err != nil {
			return planned{}, err
		}
	}
	suites, err := catalog.Plan(input)
	if err != nil || input.Base == nil {
		return planned{suites: suites}, err
	}
	diff := render.Shortened(render.Diff(*input.Base, head), maxDiffBytes)
	return planned{suites: suites, diff: &diff}, nil
}

// compare adds what is known of the base. A base that cannot be read (any more) is unknown,
// and then everything runs; a host that does not answer is waited for.
func (r *Reconciler) compare(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, input *catalog.PlanInput) error {
	var err error
	input.Changed, input.ChangedKnown, err = r.Source.Changed(ctx, repo, run.Spec.Base, run.Spec.Commit)
	if err != nil && fault.Of(err) != fault.User {
		return err
	}
	if err != nil || !input.ChangedKnown {
		input.ChangedKnown = false
		return nil
	}
	base, err := r.Catalogs.At(ctx, repo, run.Spec.Base, run.Spec.Environment)
	switch {
	case err == nil:
		input.Base = &base
	case fault.Of(err) != fault.User:
		return err
	}
	return nil
}
