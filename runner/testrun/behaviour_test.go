package testrun

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// TestARunThatEndsStopsItsPods, in whatever way it ends.
func TestARunThatEndsStopsItsPods(t *testing.T) {
	for name, end := range map[string]func(l *lab, run *v1alpha1.TestRun){
		"the environment admits it no more": func(l *lab, _ *v1alpha1.TestRun) {
			l.env.Spec.Repositories = nil
			l.update(l.env)
		},
		"the environment is gone": func(l *lab, _ *v1alpha1.TestRun) {
			if err := l.client.Delete(l.Context(), l.env); err != nil {
				l.Fatal(err)
			}
		},
		"the repository is gone": func(l *lab, _ *v1alpha1.TestRun) {
			if err := l.client.Delete(l.Context(), l.repo); err != nil {
				l.Fatal(err)
			}
		},
		"it is cancelled": func(l *lab, run *v1alpha1.TestRun) {
			run.Spec.Cancel = true
			l.update(run)
		},
		"it is cancelled while a pod waits": func(l *lab, run *v1alpha1.TestRun) {
			run.Spec.Cancel = true
			l.update(run)
			for _, o := range l.pods(run) {
				if err := l.executor.Change(o.Pod, func(o *runner.ObservedAttempt) {
					o.Phase, o.Waiting = runner.PhasePending, "CreateContainerConfigError"
				}); err != nil {
					l.Fatal(err)
				}
			}
		},
		"it is cancelled while the host is down": func(l *lab, run *v1alpha1.TestRun) {
			run.Spec.Cancel = true
			l.update(run)
			l.restart()
			l.host.hook = func(string) error { return fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "api", "web")
			run := l.looks(l.newRun("main", 0))
			l.goOn(run)
			run = l.looks(run)
			if len(l.pods(run)) != 2 {
				t.Fatalf("there are %d pods", len(l.pods(run)))
			}
			end(l, run)
			run, err := l.reconcile(run)
			if err != nil {
				t.Fatal(err)
			}
			if left := l.pods(run); !run.Status.State.Final() || len(left) > 0 {
				t.Errorf("after one look it is %s (%s), with %d pods", run.Status.State, run.Status.Message, len(left))
			}
		})
	}
}

func (l *lab) update(o client.Object) {
	l.Helper()
	if err := l.client.Update(l.Context(), o); err != nil {
		l.Fatal(err)
	}
}

// TestAPassingFaultEndsNothing: a controller that starts again finds the host busy or silent, and an old run goes on.
func TestAPassingFaultEndsNothing(t *testing.T) {
	for _, reason := range []fault.Reason{fault.HostBusy, fault.RateLimited, fault.HostUnreachable, fault.HostFailed} {
		l := newLab(t, "api")
		run := l.looks(l.newRun("main", time.Hour))
		l.goOn(run)
		l.looks(run)
		l.restart()
		l.host.hook = func(string) error {
			f := fault.New(reason, fault.Place{}, "", "not now")
			f.After = time.Second
			return f
		}
		if run = l.looks(run); run.Status.State != v1alpha1.StateRunning {
			t.Errorf("%s: it is %s: %s", reason, run.Status.State, run.Status.Message)
		}
		l.goOn(run)
		if run = l.looks(run); run.Status.State != v1alpha1.StatePassed {
			t.Errorf("%s: its pod has passed, and it is %s: %s", reason, run.Status.State, run.Status.Message)
		}
	}
}

// TestARunIsJudgedAsItIs: what ends while a content is packed is not judged by how it was before.
func TestARunIsJudgedAsItIs(t *testing.T) {
	l := newLab(t, "api", "unit")
	l.env.Spec.Limits.Pods = 1
	l.update(l.env)
	run := l.looks(l.newRun("main", 0))
	pod := runner.PodName(run, runner.AttemptOf("api", 1))
	l.env.Spec.Limits.Pods = 2
	l.update(l.env)
	over := v1alpha1.DefaultTimeout + runner.StopGrace + runner.TellGrace
	if err := l.executor.Change(pod, func(o *runner.ObservedAttempt) {
		o.Phase, o.Started = runner.PhaseRunning, time.Now().Add(-over)
	}); err != nil {
		t.Fatal(err)
	}
	l.host.hook = func(path string) error {
		if path == "tests/unit" { // by now it has been over for long, and told its outcome in time
			return l.executor.End(pod, 0, &report.Outcome{})
		}
		return nil
	}
	run = l.looks(run)
	for _, suite := range run.Status.Suites {
		if suite.Name == "api" && suite.State != v1alpha1.StatePassed {
			t.Errorf("api is %s: %s", suite.State, suite.Message)
		}
	}
}

// TestAFreedPlaceWakesWhoWaits: also that of a pod which is deleted before it had a node.
func TestAFreedPlaceWakesWhoWaits(t *testing.T) {
	l := newLab(t, "api")
	l.env.Spec.Limits.Pods = 1
	l.update(l.env)
	first, second := l.newRun("main", 2*time.Minute), l.newRun("other", time.Minute)
	first, second = l.looks(first), l.looks(second)
	if got := second.Status.Message; got != `waiting for a free slot in environment "staging"` {
		t.Fatalf("the second run says %q", got)
	}
	gone := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop-staging", Name: "p", Labels: map[string]string{
		v1alpha1.RunNamespaceLabel: "shop", v1alpha1.RunLabel: first.Name, v1alpha1.EnvironmentLabel: "staging"}}}
	wants := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(second)}
	woken := func() bool {
		for _, request := range l.r.runsOfPod(t.Context(), gone) {
			if request == wants {
				return true
			}
		}
		return false
	}
	if woken() {
		t.Error("no place is free, and the second run is woken")
	}
	for _, o := range l.pods(first) {
		if err := l.executor.Stop(t.Context(), first, o.Pod); err != nil {
			t.Fatal(err)
		}
	}
	if !woken() {
		t.Error("nobody looks at the run that waits")
	}
	if l.looks(second); len(l.pods(second)) != 1 {
		t.Error("it does not take the place")
	}
}

// TestKilledAnywhere: the controller is killed before and after each of its actions, and starts again. The run ends as
// it would have, and each suite had one pod.
func TestKilledAnywhere(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 0; ; at++ {
			l := newLab(t, "api", "unit", "web")
			l.env.Spec.Limits.Pods = 2
			l.update(l.env)
			l.life.left, l.life.after = at, after
			run := l.newRun("main", 0)
			killed := false
			for look := 0; look < 60 && !run.Status.State.Final(); look++ {
				var err error
				if run, err = l.reconcile(run); l.life.dead {
					killed = true
					l.restart()
				} else if err != nil {
					t.Fatalf("killed at %d: %v", at, err)
				}
				if look%2 == 1 {
					l.goOn(run)
				}
			}
			name := fmt.Sprintf("killed at action %d (done: %t)", at, after)
			if run.Status.State != v1alpha1.StatePassed || len(run.Status.Suites) != 3 || len(l.pods(run)) != 3 {
				t.Errorf("%s: it is %s (%s), with %d pods", name, run.Status.State, run.Status.Message, len(l.pods(run)))
			}
			if run, _ = l.reconcile(run); run.Labels[v1alpha1.StateLabel] != string(run.Status.State) {
				t.Errorf("%s: its label says %q", name, run.Labels[v1alpha1.StateLabel])
			}
			for _, suite := range run.Status.Suites {
				if len(suite.Attempts) != 1 {
					t.Errorf("%s: suite %s has %d attempts", name, suite.Name, len(suite.Attempts))
				}
			}
			if !killed {
				t.Logf("%d actions", at)
				break
			}
		}
	}
}
