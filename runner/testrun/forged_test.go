package testrun

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// forged is a run that somebody else makes who may create TestRuns.
func (l *lab) forged(spec v1alpha1.TestRunSpec, change func(*v1alpha1.TestRun)) *v1alpha1.TestRun {
	l.Helper()
	run := runner.NewRun(l.repo, spec, "")
	key.SignRun(run)
	change(run)
	if err := l.client.Create(l.Context(), run); err != nil {
		l.Fatal(err)
	}
	return run
}

// TestOnlyTheControllerHasCausesOfItsOwn: a run of a push, a pull request or a schedule that it did not make ends before
// anything is done for it.
func TestOnlyTheControllerHasCausesOfItsOwn(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC))
	causes := map[string]v1alpha1.Cause{
		"a push":         {Type: v1alpha1.CausePush},
		"a pull request": {Type: v1alpha1.CausePullRequest, PullRequest: &v1alpha1.PullRequestRef{Number: 7}},
		"a schedule":     {Type: v1alpha1.CauseSchedule, ScheduledTime: &at},
	}
	changes := map[string]func(*v1alpha1.TestRun){
		"without a proof":       func(r *v1alpha1.TestRun) { r.Annotations = nil },
		"with a proof of words": func(r *v1alpha1.TestRun) { r.Annotations[v1alpha1.ProofAnnotation] = "trust me" },
		"of another name":       func(r *v1alpha1.TestRun) { r.Name = "mine" },
		"of another commit":     func(r *v1alpha1.TestRun) { r.Spec.Commit = head[:39] + "2" },
		"of chosen suites":      func(r *v1alpha1.TestRun) { r.Spec.Suites = []string{"api"} },
	}
	for of, cause := range causes {
		for how, change := range changes {
			l := newLab(t, "api")
			l.host.hook = func(path string) error {
				t.Errorf("%s, %s: the host is asked for %q", of, how, path)
				return nil
			}
			run := l.looks(l.forged(v1alpha1.TestRunSpec{Environment: "staging", Commit: head, Branch: "main", Cause: cause}, change))
			if run.Status.State != v1alpha1.StateErrored || run.Status.Conditions[0].Reason != string(fault.CauseNotProved) {
				t.Errorf("%s, %s: it is %+v", of, how, run.Status)
			}
			if pods := l.pods(run); len(pods) != 0 || len(run.Finalizers) != 0 {
				t.Errorf("%s, %s: %d pods, finalizers %q", of, how, len(pods), run.Finalizers)
			}
		}
	}
}

// TestAForgedHeadSupersedesNothing: who cannot prove that a branch moved on ends no run of it.
func TestAForgedHeadSupersedesNothing(t *testing.T) {
	l := newLab(t, "api")
	run := l.looks(l.newRun("main", time.Minute))
	l.forged(v1alpha1.TestRunSpec{Environment: "staging", Commit: head[:39] + "2", Branch: "main", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}},
		func(r *v1alpha1.TestRun) {
			r.Annotations = nil
			r.CreationTimestamp.Time = time.Now()
		})
	if run = l.looks(run); run.Status.State.Final() || len(l.pods(run)) != 1 {
		t.Errorf("the run is %s with %d pods", run.Status.State, len(l.pods(run)))
	}
}
