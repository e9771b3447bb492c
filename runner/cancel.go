package runner

import (
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// cancel ends every suite that is not final when the run is cancelled or superseded, and says whether it is. What is
// final by now stays as it is; cleanUp stops the pods.
func (s *step) cancel() bool {
	reason, message := s.cancelled()
	if reason == "" {
		return false
	}
	s.until = time.Time{}
	for i := range s.status.Suites {
		suite := &s.status.Suites[i]
		if suite.State.Final() {
			continue
		}
		for j := range suite.Attempts {
			if a := &suite.Attempts[j]; !a.State.Final() {
				s.end(a, v1alpha1.StateCancelled, fault.Reason(reason), message, s.now)
			}
		}
		suite.State, suite.Reason, suite.Message = v1alpha1.StateCancelled, reason, message
	}
	return true
}

func (s *step) cancelled() (reason, message string) {
	switch {
	case s.run.Spec.Cancel:
		return v1alpha1.CancelledReason, "cancelled"
	case s.obs.Superseded:
		return v1alpha1.SupersededReason, "superseded by a newer commit"
	}
	return "", ""
}
