package runner

import (
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Next gives the status that follows from what is observed, and what to do. run.Status.Plan must be settled.
func Next(run *v1alpha1.TestRun, suites map[string]catalog.Suite, env *v1alpha1.TestEnvironment, obs Observed, now time.Time) (v1alpha1.TestRunStatus, []Action) {
	panic("being written")
}

// Planned gives the status of a run whose plan has just been made.
func Planned(run *v1alpha1.TestRun, plan []v1alpha1.PlannedSuite, now time.Time) v1alpha1.TestRunStatus {
	panic("being written")
}

// Broken gives the final status of a run that cannot be planned because of err.
func Broken(run *v1alpha1.TestRun, err error, now time.Time) v1alpha1.TestRunStatus {
	panic("being written")
}
