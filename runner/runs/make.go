package runs

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/proof"
)

// Make creates a run of the controller's own, with its proof, unless it was made before: then there is that one, as far
// as the cache knows it, and made is false. A name that somebody else has taken is theirs, and the run gets the next:
// who can compute names shall not keep a head from being tested.
func Make(ctx context.Context, c client.Client, key *proof.Key, run *v1alpha1.TestRun, owner client.FieldOwner) (there *v1alpha1.TestRun, made bool, err error) {
	for {
		key.SignRun(run)
		err := c.Create(ctx, run, owner)
		if err == nil {
			return run, true, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return nil, false, fmt.Errorf("creating the run %q: %w", run.Name, err)
		}
		existing := &v1alpha1.TestRun{}
		err = c.Get(ctx, client.ObjectKeyFromObject(run), existing)
		switch {
		case apierrors.IsNotFound(err): // the cache is behind
			return run, false, nil
		case err != nil:
			return nil, false, fmt.Errorf("reading the run %q: %w", run.Name, err)
		case key.IsRun(existing) && existing.Spec.Cause.Type == run.Spec.Cause.Type:
			return existing, false, nil
		}
		run = runner.Renamed(run)
	}
}
