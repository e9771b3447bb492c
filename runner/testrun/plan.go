package testrun

import (
	"context"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Verifier says whether a commit may be tested.
type Verifier interface {
	// Verify is nil for a commit that is signed as the repository asks for, or when it asks for
	// nothing. A SignatureInvalid fault is final for the commit and the keys of today; other
	// faults say that it could not be found out.
	Verify(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error
}

// plan gathers what a plan depends on, and asks for it. Nothing of a commit is looked at that
// may not be tested.
func (r *Reconciler) plan(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository) ([]v1alpha1.PlannedSuite, error) {
	if r.Verifier != nil {
		if err := r.Verifier.Verify(ctx, repo, run.Spec.Commit); err != nil {
			return nil, err
		}
	}
	head, err := r.Catalogs.At(ctx, repo, run.Spec.Commit, run.Spec.Environment)
	if err != nil {
		return nil, err
	}
	input := catalog.PlanInput{
		Head:      head,
		Cause:     run.Spec.Cause,
		Branch:    run.Spec.Branch,
		Tag:       run.Spec.Tag,
		Requested: run.Spec.Suites,
		TestsPath: repo.TestsPath(),
	}
	if run.Spec.Base != "" {
		if err := r.compare(ctx, run, repo, &input); err != nil {
			return nil, err
		}
	}
	return catalog.Plan(input)
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
