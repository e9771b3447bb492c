package runner

import (
	"context"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Attempt is what an Executor needs to know to start one pod.
type Attempt struct {
	Run *v1alpha1.TestRun
	// ID of the attempt, one of a unit of the suite.
	ID          AttemptID
	Suite       catalog.Suite
	Environment *v1alpha1.TestEnvironment
	// ContentDigest of the content that the pod fetches; empty when the suite runs without content.
	ContentDigest string
	// TestsPath is the folder of the tests from the root of the repository, the default of a suite's workingDir.
	// Empty means "tests".
	TestsPath string
}

// EnvironmentDigest is that of what the environment adds to the pod of a hermetic suite, for the executor to note with
// the pod; empty for others, of which nobody asks.
func (a Attempt) EnvironmentDigest() string {
	if !a.Suite.Spec.Hermetic {
		return ""
	}
	return catalog.EnvironmentDigest(a.Suite, a.Environment, a.TestsPath)
}

// Executor carries actions out. All methods can be called concurrently.
type Executor interface {
	// Start brings the attempt's pod into being under the name PodName gives, with its digests noted. When it is there already, for the
	// same run, Start does nothing. It gives a fault: PodRefused when the cluster will not have such a pod,
	// RateLimited when it has no room for it now, Conflict when the name belongs to somebody else.
	Start(ctx context.Context, attempt Attempt) error
	// Stop ends the pod and removes it, giving its container the grace to end by itself; it does not wait. A pod
	// that is not there, or not the run's, is no error and left alone.
	Stop(ctx context.Context, run *v1alpha1.TestRun, pod string) error
	// List gives the attempts of the run whose pods exist, ended ones included, by their IDs. What was started is there
	// at once; what becomes of it may be known a moment later.
	List(ctx context.Context, run *v1alpha1.TestRun) ([]ObservedAttempt, error)
	// Used counts the attempts in the environment that have not ended, of whatever run, by the run's namespace. What
	// was started, or is being started, counts at once. The counts are the caller's.
	Used(ctx context.Context, env *v1alpha1.TestEnvironment) (map[string]int, error)
}
