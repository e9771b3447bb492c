package catalog

import "github.com/assay-dev/assay/api/v1alpha1"

// PlanInput is what a plan depends on; nothing else does.
type PlanInput struct {
	// Head is the catalog that would run.
	Head Catalog
	// Base is the catalog of the commit to compare with; nil when it is not known, which
	// makes every suite new.
	Base *Catalog
	// Changed are the paths that differ between base and head, from the root of the
	// repository. ChangedKnown is false when they cannot be told; then everything runs.
	Changed      []string
	ChangedKnown bool
	// Cause of the run.
	Cause v1alpha1.Cause
	// Branch that was pushed to, or that the pull request wants to go into.
	Branch string
	// Requested are the suites somebody asked for by name. Causes Schedule and API run
	// exactly these; API without any runs every suite that is not suspended.
	Requested []string
	// TestsPath is the folder of the tests, from the root of the repository. Empty: tests.
	TestsPath string
}

// Plan decides for every suite of the head whether it runs, with at least one reason either
// way, sorted by suite. The only error is a fault SuiteNotFound for a requested suite that the
// head lacks.
func Plan(in PlanInput) ([]v1alpha1.PlannedSuite, error) { panic("being written") }
