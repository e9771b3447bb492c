package testrun

import (
	"context"
	"errors"
	"testing"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/memory"
)

// overTime gives a run of two suites whose pods run, that of api for an hour.
func overTime(t *testing.T) (*lab, *v1alpha1.TestRun) {
	t.Helper()
	l := newLab(t, "api", "web")
	run := l.looks(l.newRun("main", time.Minute))
	l.goOn(run)
	run = l.looks(run)
	hourAgo := time.Now().Add(-time.Hour)
	for i := range run.Status.Suites {
		run.Status.Suites[i].Attempts[0].StartTime.Time = hourAgo
	}
	if err := l.client.Status().Update(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := l.executor.Change(runner.PodName(run, runner.AttemptOf("api", 1)), func(o *runner.ObservedAttempt) {
		o.Created, o.Started = hourAgo, hourAgo
	}); err != nil {
		t.Fatal(err)
	}
	return l, run
}

func wantTimedOut(t *testing.T, l *lab, run *v1alpha1.TestRun) {
	t.Helper()
	api := run.Status.Suites[0]
	if api.State != v1alpha1.StateFailed || api.Reason != string(fault.TimedOut) || len(api.Attempts) != 1 {
		t.Errorf("api is %s %s after %d attempts: %s", api.State, api.Reason, len(api.Attempts), api.Message)
	}
	for _, o := range l.pods(run) {
		if o.Suite == "api" {
			t.Errorf("its pod %s is still there", o.Pod)
		}
	}
}

// TestAVerdictOutlivesItsPod: why a pod is stopped is written before it is, whenever the controller is killed and however
// much was written a moment ago.
func TestAVerdictOutlivesItsPod(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := range 3 {
			l, run := overTime(t)
			l.life.left, l.life.after = at, after
			_, _ = l.reconcile(run) // it may die
			l.restart()
			run = l.looks(run)
			wantTimedOut(t, l, run)
		}
	}
	l, run := overTime(t)
	l.r.written.note(client.ObjectKeyFromObject(run), run, 10*runner.StatusBytes, time.Now())
	wantTimedOut(t, l, l.looks(run))
}

// stubborn has pods that cannot be stopped.
type stubborn struct{ runner.Executor }

func (stubborn) Stop(context.Context, *v1alpha1.TestRun, string) error {
	return errors.New("forbidden")
}

// TestAPodThatCannotBeStoppedHoldsUpNothing: the run is judged, and can be cancelled.
func TestAPodThatCannotBeStoppedHoldsUpNothing(t *testing.T) {
	l, run := overTime(t)
	l.r.Executor = stubborn{l.executor}
	run, err := l.reconcile(run)
	if err == nil || run.Status.Suites[0].State != v1alpha1.StateFailed {
		t.Errorf("api is %s, error %v", run.Status.Suites[0].State, err)
	}
	run.Spec.Cancel = true
	l.update(run)
	if run, err = l.reconcile(run); err == nil || run.Status.State != v1alpha1.StateCancelled {
		t.Errorf("the run is %s, error %v", run.Status.State, err)
	}
	if err := l.client.Delete(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if run, err = l.reconcile(run); err == nil || len(run.Finalizers) == 0 {
		t.Errorf("the run is let go with its pods, error %v", err)
	}
}

// TestAFullQuotaIsLeftAlone: what one attempt is refused for now, the next would be, too.
func TestAFullQuotaIsLeftAlone(t *testing.T) {
	l := newLab(t, "api", "unit", "web")
	l.executor = memory.New(nil, func(runner.Attempt) error {
		f := fault.New(fault.RateLimited, fault.Place{}, "", "the quota is full")
		f.After = 15 * time.Second
		return f
	})
	l.restart()
	l.env.Spec.Limits.Pods = 1
	l.update(l.env)
	run := l.newRun("main", time.Minute)
	for range 3 {
		result, err := l.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(run)})
		if err != nil || result.RequeueAfter < 10*time.Second {
			t.Errorf("it is looked at again after %s, error %v", result.RequeueAfter, err)
		}
	}
}
