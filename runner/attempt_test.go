package runner_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

func counts(passed, failed int) report.Counts {
	return report.Counts{Total: passed + failed, Passed: passed, Failed: failed}
}

// TestVerdict says what an attempt that ended means for its suite, without retries.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name   string
		suite  string
		change []change
		state  v1alpha1.RunState
		reason fault.Reason
		says   string
	}{
		{"exit code 0 and a green report pass", "a", []change{exit(0), told(report.Outcome{Counts: counts(20, 0)})},
			v1alpha1.StatePassed, "", "20 cases passed"},
		{"exit code 0 without a promised report passes", "a", []change{exit(0), told(report.Outcome{})},
			v1alpha1.StatePassed, "", "exit code 0"},
		{"failed cases fail", "a", []change{exit(1), told(report.Outcome{ExitCode: 1, Counts: counts(17, 3)})},
			v1alpha1.StateFailed, fault.TestsFailed, "3 of 20 cases failed"},
		{"failed cases fail although the exit code is 0", "a", []change{exit(123), told(report.Outcome{Counts: counts(17, 3)})},
			v1alpha1.StateFailed, fault.TestsFailed, "3 of 20 cases failed"},
		{"an exit code fails although the report is green", "a", []change{exit(99), told(report.Outcome{ExitCode: 99, Counts: counts(20, 0)})},
			v1alpha1.StateFailed, fault.TestsFailed, "exit code 99, though no case of the report failed"},
		{"an exit code fails without a report", "a", []change{exit(2), told(report.Outcome{ExitCode: 2})},
			v1alpha1.StateFailed, fault.TestsFailed, "exit code 2"},
		{"a report that is missing is an error", "a", []change{exit(121), told(report.Outcome{Reason: report.ReasonReportMissing, Message: "no out.xml"})},
			v1alpha1.StateErrored, fault.ReportMissing, "no out.xml"},
		{"a report that is invalid is an error", "a", []change{exit(122), told(report.Outcome{Reason: report.ReasonReportInvalid, Message: "not XML"})},
			v1alpha1.StateErrored, fault.ReportInvalid, "not XML"},
		{"a report that is missing hides no exit code", "a", []change{exit(1), told(report.Outcome{ExitCode: 1, Reason: report.ReasonReportMissing, Message: "no out.xml"})},
			v1alpha1.StateFailed, fault.TestsFailed, "exit code 1; no out.xml"},
		{"what assay-exec knows of an exit code follows it", "a", []change{exit(2), told(report.Outcome{ExitCode: 2, Message: `there is no file "a.sh"`})},
			v1alpha1.StateFailed, fault.TestsFailed, `exit code 2; there is no file "a.sh"`},
		{"a command that was killed fails", "a", []change{exit(137), told(report.Outcome{ExitCode: 137, Counts: counts(2, 0)})},
			v1alpha1.StateFailed, fault.TestsFailed, "killed by SIGKILL, exit code 137"},
		{"a command that was killed fails, and that is said before its failed cases", "a", []change{exit(137), told(report.Outcome{ExitCode: 137, Counts: counts(2, 1)})},
			v1alpha1.StateFailed, fault.TestsFailed, "killed by SIGKILL, exit code 137; 1 of 3 cases failed"},
		{"a report that is cut off hides no failed case", "a", []change{exit(122), told(report.Outcome{Reason: report.ReasonReportInvalid, Message: "cut off", Counts: counts(4, 1)})},
			v1alpha1.StateFailed, fault.TestsFailed, "1 of 5 cases failed; cut off"},
		{"a command that is not there is an error", "a", []change{exit(127), told(report.Outcome{Reason: report.ReasonCommandNotFound, Message: `"k7" is not in the image`})},
			v1alpha1.StateErrored, fault.CommandNotFound, `"k7" is not in the image`},
		{"a command that cannot be run is an error", "a", []change{exit(126), told(report.Outcome{Reason: report.ReasonCommandInvalid, Message: "it is not executable"})},
			v1alpha1.StateErrored, fault.CommandInvalid, "it is not executable"},
		{"a working folder that is not there is an error", "a", []change{exit(119), told(report.Outcome{Reason: report.ReasonWorkingDirInvalid, Message: "no folder"})},
			v1alpha1.StateErrored, fault.WorkingDirInvalid, "no folder"},
		{"a command that took too long fails", "a", []change{exit(124), told(report.Outcome{ExitCode: 143, Reason: report.ReasonTimedOut})},
			v1alpha1.StateFailed, fault.TimedOut, "timed out after 10m0s"},
		{"a pod over its deadline fails, whatever it says itself", "a", []change{told(report.Outcome{Reason: report.ReasonEvicted}), cluster(fault.TimedOut, "")},
			v1alpha1.StateFailed, fault.TimedOut, "timed out after 10m0s"},
		{"a container out of memory fails", "a", []change{exit(137), cluster(fault.LimitExceeded, "out of memory")},
			v1alpha1.StateFailed, fault.LimitExceeded, "out of memory"},
		{"a wrapped pod that ends well without an outcome is not trusted", "a", []change{exit(0)},
			v1alpha1.StateErrored, fault.ReportMissing, "without telling its outcome"},
		{"a wrapped pod that was killed fails by its exit code", "a", []change{exit(137)},
			v1alpha1.StateFailed, fault.TestsFailed, "exit code 137"},
		{"unwrapped, exit code 0 passes", "plain", []change{exit(0)}, v1alpha1.StatePassed, "", "exit code 0"},
		{"unwrapped, another exit code fails", "plain", []change{exit(3)}, v1alpha1.StateFailed, fault.TestsFailed, "exit code 3"},
		{"unwrapped, an entry point that is not there is an error", "plain", []change{exit(128), cluster(fault.CommandNotFound, "no such file")},
			v1alpha1.StateErrored, fault.CommandNotFound, "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a", "plain!")
			w.next(2*time.Minute, pods(w.pod(c.suite, 1, runner.PhaseEnded, c.change...)))
			got := w.suite(t, c.suite)
			if got.State != c.state || got.Reason != string(c.reason) || !strings.Contains(got.Message, c.says) {
				t.Errorf("%s %s %q; want %s %s %q", got.State, got.Reason, got.Message, c.state, c.reason, c.says)
			}
		})
	}
}

func cluster(reason fault.Reason, message string) change {
	return func(o *runner.ObservedAttempt) { o.Reason, o.Message = reason, message }
}

// TestLoss: an attempt that the cluster lost is repeated, up to the suite's limit, and does not count as a failed test.
func TestLoss(t *testing.T) {
	for _, c := range []struct {
		name   string
		loss   []change
		reason fault.Reason
	}{
		{"evicted", []change{exit(137), cluster(fault.Evicted, "the node was low on memory")}, fault.Evicted},
		{"its node is gone", []change{cluster(fault.PodLost, "the node is gone")}, fault.PodLost},
		{"content not delivered", []change{exit(120), told(report.Outcome{Reason: report.ReasonContentFailed, Message: "the gateway does not answer"})}, fault.ContentFailed},
		{"stopped by somebody, as assay-exec noticed", []change{exit(143), stopping, told(report.Outcome{ExitCode: 143, Reason: report.ReasonEvicted})}, fault.Evicted},
		{"deleted by somebody", []change{exit(143), stopping}, fault.Evicted},
		{"ended and nobody knows how", nil, fault.PodLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a")
			var seen []runner.ObservedAttempt
			for number := int32(1); number <= 3; number++ {
				seen = append(seen, w.pod("a", number, runner.PhaseEnded, c.loss...))
				actions := w.next(2*time.Minute, pods(seen...))
				suite := w.suite(t, "a")
				if last := number == 3; suite.State.Final() != last || (len(starts(actions)) == 1) == last {
					t.Fatalf("after attempt %d: %s, actions %+v", number, suite.State, actions)
				}
			}
			suite := w.suite(t, "a")
			if suite.State != v1alpha1.StateErrored || suite.Reason != string(c.reason) || len(suite.Attempts) != 3 {
				t.Errorf("%s %s after %d attempts", suite.State, suite.Reason, len(suite.Attempts))
			}
			if w.run.Status.State != v1alpha1.StateErrored {
				t.Errorf("the run is %s", w.run.Status.State)
			}
		})
	}

	t.Run("the attempt that follows decides", func(t *testing.T) {
		w := newWorld("a")
		lost := w.pod("a", 1, runner.PhaseEnded, cluster(fault.Evicted, "low on disk"))
		if got := starts(w.next(time.Minute, pods(lost))); len(got) != 1 || got[0].Number != 2 {
			t.Fatalf("starts %+v", got)
		}
		w.next(2*time.Minute, pods(lost, w.pod("a", 2, runner.PhaseEnded, exit(0), told(report.Outcome{Counts: counts(1, 0)}))))
		if suite := w.suite(t, "a"); suite.State != v1alpha1.StatePassed || suite.Message != "1 case passed" || len(suite.Attempts) != 2 {
			t.Errorf("%+v", suite)
		}
	})
	t.Run("no retries when the suite wants none", func(t *testing.T) {
		w := newWorld("a")
		suite, none := w.suites["a"], int32(0)
		suite.Spec.Retries.Infrastructure = &none
		w.suites["a"] = suite
		if got := starts(w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, cluster(fault.Evicted, ""))))); len(got) > 0 {
			t.Errorf("starts %+v", got)
		}
	})
	t.Run("a failed test is not repeated", func(t *testing.T) {
		w := newWorld("a")
		if got := starts(w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, exit(1), told(report.Outcome{ExitCode: 1}))))); len(got) > 0 {
			t.Errorf("starts %+v", got)
		}
	})
	t.Run("a pod that vanishes is lost", func(t *testing.T) {
		w := newWorld("a")
		w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseRunning)))
		if got := starts(w.next(2*time.Minute, pods())); len(got) != 1 || got[0].Number != 2 {
			t.Errorf("starts %+v", got)
		}
		if a := w.suite(t, "a").Attempts[0]; a.Reason != string(fault.PodLost) {
			t.Errorf("attempt is %+v", a)
		}
	})
	t.Run("a pod that its node does not end is lost", func(t *testing.T) {
		w := newWorld("a")
		o := w.pod("a", 1, runner.PhaseRunning, stopping) // until 2m
		if actions := w.next(time.Minute, pods(o)); len(actions) != 1 || until(actions) != 2*time.Minute+30*time.Second {
			t.Errorf("actions %+v", actions)
		}
		if got := starts(w.next(2*time.Minute+30*time.Second, pods(o))); len(got) != 1 || got[0].Number != 2 {
			t.Errorf("starts %+v", got)
		}
	})
	t.Run("a pod that was just created may be missing for a moment", func(t *testing.T) {
		w := newWorld("a")
		w.next(time.Second, pods(w.pod("a", 1, runner.PhasePending)))
		actions := w.next(2*time.Second, pods())
		if len(starts(actions)) > 0 || until(actions) != 30*time.Second {
			t.Errorf("actions %+v", actions)
		}
	})
}

// TestWaiting says how long a pod may wait for what.
// TestAnotherPodInItsPlace: a pod that took the name of a recorded one says nothing about the attempt, whatever it says.
func TestAnotherPodInItsPlace(t *testing.T) {
	w := newWorld("a")
	uid := func(uid types.UID) change { return func(o *runner.ObservedAttempt) { o.UID = uid } }
	w.next(0, pods(w.pod("a", 1, runner.PhaseRunning, uid("first"))))
	if uid := w.suite(t, "a").Attempts[0].PodUID; uid != "first" {
		t.Fatalf("its UID is recorded as %q", uid)
	}
	w.next(2*time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, exit(0), told(report.Outcome{}), uid("second"))))
	if a := w.suite(t, "a").Attempts[0]; a.State != v1alpha1.StateErrored || a.Reason != string(fault.PodLost) {
		t.Errorf("the attempt is %s, %s", a.State, a.Reason)
	}
}

func TestWaiting(t *testing.T) {
	for _, c := range []struct {
		name    string
		waiting string
		after   time.Duration
		state   v1alpha1.RunState // of the attempt
		reason  fault.Reason
		stopped bool
	}{
		{"for its container", "", 4 * time.Minute, v1alpha1.StatePending, "", false},
		{"for its container too long", "", 5 * time.Minute, v1alpha1.StateErrored, fault.NotStarted, true},
		{"for a node too long", "Unschedulable", 6 * time.Minute, v1alpha1.StateErrored, fault.NotStarted, true},
		{"a registry that does not answer is the cluster's matter", "RegistryUnavailable", 4 * time.Minute, v1alpha1.StatePending, "", false},
		{"an image that may never be pulled is final at once", "ErrImageNeverPull", 0, v1alpha1.StateErrored, fault.ImagePullFailed, true},
		{"a name that is none is final at once", "InvalidImageName", 0, v1alpha1.StateErrored, fault.ImagePullFailed, true},
		{"a pull may fail for a while", "ErrImagePull", 44 * time.Second, v1alpha1.StatePending, fault.ImagePullFailed, false},
		{"a pull that keeps failing is final", "ImagePullBackOff", 45 * time.Second, v1alpha1.StateErrored, fault.ImagePullFailed, true},
		{"a Secret may come a little late", "CreateContainerConfigError", 10 * time.Second, v1alpha1.StatePending, fault.SecretInvalid, false},
		{"a Secret that does not come is final", "CreateContainerConfigError", time.Minute, v1alpha1.StateErrored, fault.SecretInvalid, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a")
			o := w.pod("a", 1, runner.PhasePending, waits(c.waiting, "the kubelet's words"))
			actions := w.next(c.after, pods(o))
			a := w.suite(t, "a").Attempts[0]
			if a.State != c.state || a.Reason != string(c.reason) {
				t.Errorf("%s %s, want %s %s", a.State, a.Reason, c.state, c.reason)
			}
			if got := len(stops(actions)) == 1; got != c.stopped {
				t.Errorf("stopped: %v", got)
			}
			if a.State.Final() != strings.Contains(a.Message, "the kubelet's words") {
				t.Errorf("message %q: the kubelet's words belong into the end only, they change with every try", a.Message)
			}
			if !a.State.Final() && until(actions) <= c.after {
				t.Errorf("looks again at %s", until(actions))
			}
			if retried, lost := len(starts(actions)) == 1, c.reason == fault.NotStarted; retried != lost {
				t.Errorf("another attempt: %v", retried)
			}
		})
	}
	t.Run("the environment says how long", func(t *testing.T) {
		w := newWorld("a")
		w.env.Spec.Limits.StartTimeout = &metav1.Duration{Duration: time.Hour}
		if actions := w.next(time.Minute, pods(w.pod("a", 1, runner.PhasePending))); until(actions) != time.Hour {
			t.Errorf("looks again at %s", until(actions))
		}
	})
}

// TestTimeout: assay-exec keeps the timeout itself, so Next waits for it a little longer; unwrapped there is only Next.
func TestTimeout(t *testing.T) {
	for _, c := range []struct {
		name, suite string
		after       time.Duration
		over        bool
		again       time.Duration
	}{
		{"wrapped, in time", "a", time.Minute, false, 11*time.Minute + 30*time.Second},
		{"wrapped, over time: assay-exec is at it", "a", 11 * time.Minute, false, 11*time.Minute + 30*time.Second},
		{"wrapped, long over time", "a", 11*time.Minute + 30*time.Second, true, 0},
		{"unwrapped, in time", "plain", time.Minute, false, 10 * time.Minute},
		{"unwrapped, over time", "plain", 10 * time.Minute, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a", "plain!")
			o := w.pod(c.suite, 1, runner.PhaseRunning)
			actions := w.next(c.after, runner.Observed{Slots: 5, Attempts: []runner.ObservedAttempt{o}})
			suite := w.suite(t, c.suite)
			if over := suite.Reason == string(fault.TimedOut); over != c.over || (len(stops(actions)) == 1) != c.over {
				t.Errorf("%+v, %+v", suite, actions)
			}
			if until(actions) != c.again {
				t.Errorf("looks again at %s, want %s", until(actions), c.again)
			}
		})
	}
}

func TestAnOutcomeEndsTheAttemptAndThePodEndsByItself(t *testing.T) {
	w := newWorld("a")
	o := w.pod("a", 1, runner.PhaseRunning, told(report.Outcome{Counts: counts(2, 1), Ended: begin}))
	actions := w.next(time.Minute, pods(o))
	if w.run.Status.State != v1alpha1.StateFailed || len(stops(actions)) > 0 || until(actions) == 0 {
		t.Fatalf("%s, %+v", w.run.Status.State, actions)
	}
	if actions := w.next(time.Hour, pods(o)); len(stops(actions)) != 1 {
		t.Errorf("a pod that does not end is not stopped: %+v", actions)
	}
}

// TestThatAllWentWellIsConfirmed: whoever runs in a pod can tell so; the exit code of its container wins.
func TestThatAllWentWellIsConfirmed(t *testing.T) {
	for code, want := range map[int32]v1alpha1.RunState{0: v1alpha1.StatePassed, 143: v1alpha1.StateFailed} {
		w := newWorld("a")
		good := told(report.Outcome{Counts: counts(3, 0), Ended: begin})
		w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseRunning, good)))
		if state := w.suite(t, "a").State; state != v1alpha1.StateRunning {
			t.Fatalf("before its container has ended it is %s", state)
		}
		w.next(2*time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, good, exit(code))))
		suite := w.suite(t, "a")
		if a := suite.Attempts[0]; suite.State != want || a.ExitCode == nil || *a.ExitCode != code || len(suite.Attempts) != 1 {
			t.Errorf("with exit code %d: %s, %s, %+v", code, suite.State, suite.Message, suite.Attempts)
		}
	}
}

// TestASignalFromInsideThePodIsTheSuites: the cluster says nothing of an eviction, so it is no reason for another try.
func TestASignalFromInsideThePodIsTheSuites(t *testing.T) {
	w := newWorld("a")
	evicted := told(report.Outcome{ExitCode: 143, Reason: report.ReasonEvicted, Message: "the pod was stopped"})
	w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseRunning, evicted)))
	if state := w.suite(t, "a").State; state != v1alpha1.StateRunning {
		t.Fatalf("while the cluster may say more it is %s", state)
	}
	actions := w.next(2*time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, evicted, exit(124))))
	suite := w.suite(t, "a")
	if suite.State != v1alpha1.StateFailed || len(starts(actions)) > 0 || !strings.Contains(suite.Message, "from inside the pod") {
		t.Errorf("%s: %s, %+v", suite.State, suite.Message, actions)
	}
}

func TestFailuresFitTheSchema(t *testing.T) {
	w := newWorld("a")
	long := strings.Repeat("ü", 2000)
	var cases []report.Case
	for range 20 {
		cases = append(cases, report.Case{Suite: long, Name: long, File: long, Message: long, Line: -1, Status: report.Failed})
	}
	cases[0] = report.Case{ClassName: "checkout", Name: "pays", Status: report.Failed}
	w.next(time.Minute, pods(w.pod("a", 1, runner.PhaseEnded, exit(1), told(report.Outcome{ExitCode: 1, Counts: counts(0, 20), Failures: cases}))))
	suite := w.suite(t, "a")
	if len(suite.Failures) != 10 || suite.Failures[0].Name != "checkout › pays" || suite.Cases.Failed != 20 {
		t.Errorf("%+v, %+v", suite.Cases, suite.Failures[0])
	}
	for _, f := range suite.Failures {
		if len(f.Name) > 512 || len(f.Message) > 1024 || len(f.File) > 512 || f.Line < 0 {
			t.Errorf("too long: %d %d %d", len(f.Name), len(f.Message), len(f.File))
		}
	}
}
