package publish

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/assay-dev/assay/api/v1alpha1"
)

func TestOnlyWhatIsSpokenAboutWakesThePublisher(t *testing.T) {
	base := v1alpha1.TestRun{Status: v1alpha1.TestRunStatus{
		State:      v1alpha1.StateRunning,
		Conditions: []metav1.Condition{{Type: v1alpha1.PlannedCondition, Status: metav1.ConditionTrue}},
		Suites:     []v1alpha1.SuiteStatus{{Name: "api", State: v1alpha1.StateRunning}},
	}}
	now := metav1.NewTime(time.Unix(1767225600, 0))
	for name, c := range map[string]struct {
		change func(*v1alpha1.TestRun)
		want   bool
	}{
		"nothing":           {func(*v1alpha1.TestRun) {}, false},
		"what we published": {func(r *v1alpha1.TestRun) { r.Status.Published = "sha256:1" }, false},
		"an attempt": {func(r *v1alpha1.TestRun) {
			r.Status.Suites[0].Attempts = []v1alpha1.Attempt{{Number: 1, Pod: "p", StartTime: &now}}
		}, false},
		"the time of a condition": {func(r *v1alpha1.TestRun) { r.Status.Conditions[0].LastTransitionTime = now }, false},
		"labels":                  {func(r *v1alpha1.TestRun) { r.Labels = map[string]string{"a": "b"} }, false},
		"the state":               {func(r *v1alpha1.TestRun) { r.Status.State = v1alpha1.StatePassed }, true},
		"a suite":                 {func(r *v1alpha1.TestRun) { r.Status.Suites[0].State = v1alpha1.StateFailed }, true},
		"the plan": {func(r *v1alpha1.TestRun) {
			r.Status.Plan = []v1alpha1.PlannedSuite{{Suite: "api", Run: true, Reasons: []string{"x"}}}
		}, true},
		"a condition":   {func(r *v1alpha1.TestRun) { r.Status.Conditions[0].Reason = "Superseded" }, true},
		"its deletion":  {func(r *v1alpha1.TestRun) { r.DeletionTimestamp = &now }, true},
		"the message":   {func(r *v1alpha1.TestRun) { r.Status.Message = "x" }, true},
		"case counters": {func(r *v1alpha1.TestRun) { r.Status.Suites[0].Cases = &v1alpha1.CaseCounts{Total: 1} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			is := base.DeepCopy()
			c.change(is)
			if got := changed().Update(event.UpdateEvent{ObjectOld: base.DeepCopy(), ObjectNew: is}); got != c.want {
				t.Errorf("woken %t, want %t", got, c.want)
			}
		})
	}
}
