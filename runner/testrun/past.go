package testrun

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/runs"
)

// maxPast is how many runs are asked for earlier passes, the newest first.
const maxPast = 1000

// prove gathers what is needed to reuse earlier passes: the results of runs that are kept,
// and the digests of the contents that they are compared by. A content that cannot be packed,
// by somebody's fault, leaves its suite to run and to say so; what may be gone the next time
// is an error.
func (r *Reconciler) prove(ctx context.Context, run *v1alpha1.TestRun, repo *v1alpha1.TestRepository, input *catalog.PlanInput) error {
	if !slices.ContainsFunc(input.Head.Suites, hermetic) {
		return nil
	}
	// Whatever is amiss about the input is said when the plan is made.
	if plan, err := catalog.Plan(*input); err != nil || !slices.ContainsFunc(plan, provable) {
		return nil
	}
	var err error
	if input.Past, err = r.past(ctx, run); err != nil {
		return err
	}
	plan, err := catalog.Plan(*input)
	if err != nil {
		return err
	}
	input.Contents = map[string]string{}
	for _, suite := range catalog.Unproved(*input, plan) {
		digest, err := r.Contents.Digest(ctx, repo, run.Spec.Commit, suite)
		switch {
		case err == nil:
			input.Contents[suite.Name] = digest
		case ctx.Err() != nil || fault.Of(err) != fault.User:
			return err
		}
	}
	return nil
}

func hermetic(s catalog.Suite) bool { return s.Spec.Hermetic }

// provable says whether a plan's entry can be compared with earlier results.
func provable(p v1alpha1.PlannedSuite) bool { return p.EnvironmentDigest != "" }

// past gives the results of the newest runs of the same repository and environment. Runs that
// are being deleted are left out: nobody could look at them.
func (r *Reconciler) past(ctx context.Context, run *v1alpha1.TestRun) ([]catalog.PastResult, error) {
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(run.Namespace, run.Spec.RepositoryRef.Name)); err != nil {
		return nil, fmt.Errorf("listing the runs before: %w", err)
	}
	all.Items = slices.DeleteFunc(all.Items, func(other v1alpha1.TestRun) bool {
		return other.Name == run.Name || !other.DeletionTimestamp.IsZero() || other.Spec.Environment != run.Spec.Environment
	})
	slices.SortFunc(all.Items, func(a, b v1alpha1.TestRun) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	var results []catalog.PastResult
	for i := range all.Items[:min(len(all.Items), maxPast)] {
		results = append(results, runner.Results(&all.Items[i])...)
	}
	return results, nil
}
