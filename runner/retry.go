package runner

import (
	"slices"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// losses are the reasons that say nothing about the suite: the cluster lost the attempt.
var losses = []fault.Reason{fault.Evicted, fault.PodLost, fault.NotStarted, fault.ContentFailed}

func lost(a v1alpha1.Attempt) bool {
	return a.State == v1alpha1.StateErrored && slices.Contains(losses, fault.Reason(a.Reason))
}

// retry says whether another attempt follows the last. A failed test is not repeated: to find out that it is flaky is
// the business of tools and of the history.
func (s *step) retry(suite *v1alpha1.SuiteStatus) bool {
	n := len(suite.Attempts)
	if n == 0 || !lost(suite.Attempts[n-1]) {
		return false
	}
	limit := v1alpha1.DefaultInfrastructureRetries
	if r := s.suites[suite.Name].Spec.Retries.Infrastructure; r != nil {
		limit = *r
	}
	var lostSoFar int32
	for _, a := range suite.Attempts {
		if lost(a) {
			lostSoFar++
		}
	}
	return lostSoFar <= limit
}
