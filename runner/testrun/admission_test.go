package testrun

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// asked makes a run that somebody asks for.
func (l *lab) asked() *v1alpha1.TestRun {
	l.Helper()
	run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: "staging", Commit: head, Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI}}, "me")
	if err := l.client.Create(l.Context(), run); err != nil {
		l.Fatal(err)
	}
	return run
}

// TestWhatIsNotReachableIsNotRead: the head of a fork, or what a force push left behind, for whoever asks for it.
func TestWhatIsNotReachableIsNotRead(t *testing.T) {
	l := newLab(t, "api")
	l.admission[head] = fault.New(fault.CommitNotReachable, fault.Place{Field: "spec.commit"}, "push it", "it is of nothing that is watched")
	l.host.hook = func(path string) error {
		t.Errorf("the host is asked for %q", path)
		return nil
	}
	run := l.looks(l.asked())
	if run.Status.State != v1alpha1.StateErrored || len(l.pods(run)) != 0 || len(run.Status.Plan) != 0 {
		t.Errorf("it is %+v", run.Status)
	}
	l.host.hook = nil
	// The controller's own are of heads that it saw.
	if own := l.looks(l.newRun("main", time.Minute)); len(l.pods(own)) != 1 {
		t.Errorf("its own is %+v", own.Status)
	}
}

func TestWhatMayBeReachableWaits(t *testing.T) {
	l := newLab(t, "api")
	l.admission[head] = fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer")
	run := l.asked()
	for range 3 {
		run, _ = l.reconcile(run)
	}
	if run.Status.State != v1alpha1.StatePending || len(l.pods(run)) != 0 {
		t.Errorf("it is %+v", run.Status)
	}
	delete(l.admission, head)
	if run = l.looks(run); len(l.pods(run)) != 1 {
		t.Errorf("it is %+v", run.Status)
	}
}
