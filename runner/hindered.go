package runner

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// patience is how long a run without a live attempt waits for what passes by itself, such as a Git host that does not
// answer: every commit gets a final status. It counts from the first fault of a row, not from the run's creation.
const patience = 10 * time.Minute

// Hindered gives the status of a run that cannot be planned because of err: it waits as long as err may pass by itself,
// and is [Broken] otherwise.
func Hindered(run *v1alpha1.TestRun, err error, now time.Time) v1alpha1.TestRunStatus {
	if givesUp(run.Status, err, now) {
		return Broken(run, err, now)
	}
	status := *run.Status.DeepCopy()
	if status.State.Final() {
		return status
	}
	status.ObservedGeneration = run.Generation
	if status.State == "" {
		status.State = v1alpha1.StatePending
	}
	status.Message = fault.Summary(fault.Here(err))
	setHindered(&status, err, hinderedSince(run.Status, now), now)
	return status
}

// givesUp says whether err is the end of what it holds up: somebody has to mend something, or it has lasted too long. A
// host that is busy, or asks to come back later, is none: it is there.
func givesUp(status v1alpha1.TestRunStatus, err error, now time.Time) bool {
	switch fault.ReasonOf(err) {
	case fault.HostBusy, fault.RateLimited:
		return false
	}
	return fault.Of(err) == fault.User || now.Sub(hinderedSince(status, now)) >= patience
}

// hinderedSince is when the row of faults began that the status tells of; now when it tells of none. Ready is Unknown
// while all is well, so that its time is that of the first fault.
func hinderedSince(status v1alpha1.TestRunStatus, now time.Time) time.Time {
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ReadyCondition)
	if status.State.Final() || ready == nil || ready.Status != metav1.ConditionFalse {
		return now
	}
	return ready.LastTransitionTime.Time
}

// setHindered says why nothing goes on, and since when: what was Ready before is kept as to its time.
func setHindered(status *v1alpha1.TestRunStatus, err error, since, now time.Time) {
	reason, message := string(fault.ReasonOf(err)), fault.Summary(fault.Here(err))
	setCondition(status, v1alpha1.ReconcilingCondition, metav1.ConditionTrue, reason, message, now)
	setCondition(status, v1alpha1.ReadyCondition, metav1.ConditionFalse, reason, message, now)
	meta.FindStatusCondition(status.Conditions, v1alpha1.ReadyCondition).LastTransitionTime = *at(since)
}

// Broken gives the final status of a run that cannot be planned, or not be carried on, because of err. What is final by
// now stays as it is; call Next with it for the pods that are left.
func Broken(run *v1alpha1.TestRun, err error, now time.Time) v1alpha1.TestRunStatus {
	status := *run.Status.DeepCopy()
	if status.State.Final() {
		return status
	}
	status.ObservedGeneration = run.Generation
	reason, message := string(fault.ReasonOf(err)), fault.Summary(fault.Here(err))
	s := step{now: now}
	for i := range status.Suites {
		s.endSuite(&status.Suites[i], v1alpha1.StateErrored, reason, message)
	}
	status.State, status.Message, status.CompletionTime = v1alpha1.StateErrored, message, at(now)
	if !planned(status) {
		setCondition(&status, v1alpha1.PlannedCondition, metav1.ConditionFalse, reason, message, now)
	}
	setEnded(&status, reason, now)
	return status
}

func planned(status v1alpha1.TestRunStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.PlannedCondition)
}

// endSuite ends a suite that is not final, with the attempts that are not.
func (s *step) endSuite(suite *v1alpha1.SuiteStatus, state v1alpha1.RunState, reason, message string) {
	if suite.State.Final() {
		return
	}
	for j := range suite.Attempts {
		if a := &suite.Attempts[j]; !a.State.Final() {
			s.end(a, state, fault.Reason(reason), message, s.now)
		}
	}
	suite.State, suite.Reason, suite.Message = state, reason, message
}
