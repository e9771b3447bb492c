package runner

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Urgent says whether a status has to be written at once. What does not change the state of the run, its plan or what
// it waits for can wait a moment: it is computed anew from what is observed, and the pods stay until it is written.
func Urgent(before, after v1alpha1.TestRunStatus) bool {
	if before.State != after.State {
		return true
	}
	for _, kind := range []string{v1alpha1.PlannedCondition, v1alpha1.ReadyCondition} {
		a, b := meta.FindStatusCondition(before.Conditions, kind), meta.FindStatusCondition(after.Conditions, kind)
		if (a == nil) != (b == nil) || a != nil && (a.Status != b.Status || a.Reason != b.Reason) {
			return true
		}
	}
	return false
}
