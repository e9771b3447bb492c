package runner

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
		s.endSuite(&s.status.Suites[i], v1alpha1.StateCancelled, reason, message)
	}
	return true
}

// cancelUnplanned ends a run that is cancelled before it has a plan, whatever it waits for.
func (s *step) cancelUnplanned() {
	reason, message := s.cancelled()
	if reason == "" {
		return
	}
	s.status.ObservedGeneration = s.run.Generation
	s.status.State, s.status.Message, s.status.CompletionTime = v1alpha1.StateCancelled, message, at(s.now)
	setCondition(&s.status, v1alpha1.PlannedCondition, metav1.ConditionFalse, reason, message, s.now)
	setEnded(&s.status, reason, s.now)
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
