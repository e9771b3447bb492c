package catalog

import "github.com/assay-dev/assay/api/v1alpha1"

// CheckPolicy says what of the suite the environment forbids: its image, its timeout, its
// resources. All violations are joined, as faults PolicyViolation that name the suite's file,
// the field and the rule; nil when there is none.
func CheckPolicy(suite Suite, environment *v1alpha1.TestEnvironment) error { panic("being written") }
