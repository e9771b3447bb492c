package runner

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Planned gives the status of a run whose plan has just been made. Suites that the plan settles, by an earlier pass or
// because the environment forbids them, are final from the start. A plan in which nothing runs ends the run as Passed.
func Planned(run *v1alpha1.TestRun, plan []v1alpha1.PlannedSuite, now time.Time) v1alpha1.TestRunStatus {
	status := *run.Status.DeepCopy()
	if status.State.Final() {
		return status
	}
	status.ObservedGeneration = run.Generation
	status.Plan = slices.Clone(plan)
	status.Suites = suitesOf(plan, nil)
	if status.StartTime == nil {
		status.StartTime = at(now)
	}
	setCondition(&status, v1alpha1.PlannedCondition, metav1.ConditionTrue, v1alpha1.SucceededReason,
		selected(run, status), now)
	conclude(&status, now)
	return status
}

// Nothing gives the final status of a run at a commit that has nothing to run at all, because of why: it has passed.
func Nothing(run *v1alpha1.TestRun, why string, now time.Time) v1alpha1.TestRunStatus {
	if run.Status.State.Final() {
		return *run.Status.DeepCopy()
	}
	status := Planned(run, nil, now)
	status.Message = why
	for i := range status.Conditions {
		status.Conditions[i].Message = why
	}
	return status
}

// selected says how much runs of the catalog, or of what was asked for by name.
func selected(run *v1alpha1.TestRun, status v1alpha1.TestRunStatus) string {
	t := tallyOf(status)
	from := "of the catalog"
	if len(run.Spec.Suites) > 0 {
		from = "asked for"
	}
	line := fmt.Sprintf("%d of %s %s run", t.open, suites(len(status.Plan)), from)
	if t.reused > 0 {
		line += fmt.Sprintf(", %d passed in an earlier run", t.reused)
	}
	if n := t.suites - t.open - t.reused; n > 0 {
		line += fmt.Sprintf(", %d may not run here", n)
	}
	return line
}

// setConditions follows Flux: Ready is Unknown while work is under way, and Reconciling is there only then.
func setConditions(status *v1alpha1.TestRunStatus, t tally, now time.Time) {
	if status.State.Final() {
		setEnded(status, t.reason, now)
		return
	}
	setCondition(status, v1alpha1.ReconcilingCondition, metav1.ConditionTrue, v1alpha1.ProgressingReason, status.Message, now)
	setCondition(status, v1alpha1.ReadyCondition, metav1.ConditionUnknown, v1alpha1.ProgressingReason, status.Message, now)
}

// setEnded sets the conditions of a run that is final, for the reason; a run that passed has none.
func setEnded(status *v1alpha1.TestRunStatus, reason string, now time.Time) {
	ready := metav1.ConditionFalse
	if status.State == v1alpha1.StatePassed {
		ready, reason = metav1.ConditionTrue, v1alpha1.SucceededReason
	}
	setCondition(status, v1alpha1.ReadyCondition, ready, reason, status.Message, now)
	setCondition(status, v1alpha1.CompleteCondition, metav1.ConditionTrue, string(status.State), status.Message, now)
	meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ReconcilingCondition)
}

func setCondition(status *v1alpha1.TestRunStatus, kind string, value metav1.ConditionStatus, reason, message string, now time.Time) {
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: cut(message, 32<<10),
		ObservedGeneration: status.ObservedGeneration, LastTransitionTime: *at(now),
	})
}
