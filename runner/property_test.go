package runner_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// TestNextKeepsItsPromises drives runs by chance, FuzzNext by whatever bytes the fuzzer writes.
func TestNextKeepsItsPromises(t *testing.T) {
	for seed := range uint64(50) {
		drive(t, rand.New(rand.NewPCG(seed, seed*7)), func(steps int) bool { return steps < 25 })
	}
}

func FuzzNext(f *testing.F) {
	const most = 1500 // bytes, which is a dozen steps
	for seed := range 20 {
		data := make([]byte, 60*(seed+1))
		random := rand.New(rand.NewPCG(uint64(seed), 2))
		for i := range data {
			data[i] = byte(random.IntN(256))
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &written{data[:min(len(data), most)]}
		drive(t, w, func(int) bool { return len(w.left) > 0 })
	})
}

// choices are what becomes of a run where it could go several ways: one of n, from 0.
type choices interface{ IntN(n int) int }

// written are choices by a byte each, so that the fuzzer can change one and leave the others.
// Once they are used up every choice is 0.
type written struct{ left []byte }

func (w *written) IntN(n int) int {
	if len(w.left) == 0 {
		return 0
	}
	first := w.left[0]
	w.left = w.left[1:]
	return int(first) % n
}

// drive takes a run through whatever could be observed, and more, while it is to go on, and holds Next to its promises:
// a suite has at most one attempt that is not final, and Next never starts another beside it; what is final stays as it
// is; no state goes back; the slots are kept; applying Next twice changes nothing.
func drive(t *testing.T, chosen choices, on func(steps int) bool) {
	t.Helper()
	w := newWorld("a", "b?", "c!", "d", "reused=", "forbidden#?")
	now := time.Duration(0)
	for steps := 0; on(steps); steps++ {
		now += time.Duration(chosen.IntN(120)) * time.Second
		obs := observedBy(chosen, w)
		w.run.Spec.Cancel = w.run.Spec.Cancel || chosen.IntN(40) == 1
		w.env.Spec.Suspend = chosen.IntN(10) == 1
		before := *w.run.Status.DeepCopy()
		actions := w.next(now, obs)
		after := throughTheAPI(t, w.run.Status)
		w.run.Status = after
		checkMonotone(t, before, after)
		checkStarts(t, obs, after, actions)

		again := w.next(now, obs)
		if diff := difference(after, throughTheAPI(t, w.run.Status)); diff != "" {
			t.Fatalf("the second time the status changes: %s", diff)
		}
		if diff := difference(actions, again); diff != "" {
			t.Fatalf("the second time the actions change: %s", diff)
		}
	}
}

// difference is cmp.Diff, which is slow, of what is not deeply equal, which nearly all is.
func difference(x, y any) string {
	if reflect.DeepEqual(x, y) {
		return ""
	}
	return cmp.Diff(x, y)
}

// throughTheAPI gives the status as it is after writing and reading it.
func throughTheAPI(t *testing.T, status v1alpha1.TestRunStatus) v1alpha1.TestRunStatus {
	t.Helper()
	data, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	var read v1alpha1.TestRunStatus
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func observedBy(chosen choices, w *world) runner.Observed {
	obs := runner.Observed{Slots: chosen.IntN(4) - 1, Superseded: chosen.IntN(60) == 0}
	for _, suite := range []string{"a", "b", "c", "d", "reused", "forbidden", "not-in-the-plan"} {
		for number := range int32(4) {
			if chosen.IntN(3) > 0 {
				continue
			}
			phase := []runner.Phase{runner.PhasePending, runner.PhaseRunning, runner.PhaseEnded}[chosen.IntN(3)]
			o := w.pod(suite, number, phase)
			if chosen.IntN(8) == 0 {
				stopping(&o)
			}
			if chosen.IntN(2) == 0 {
				o.ContentDigest, o.EnvironmentDigest = "sha256:c", "sha256:e"
			}
			if chosen.IntN(20) == 0 {
				o.Pod = "foreign"
			}
			if chosen.IntN(4) == 0 {
				o.Waiting = []string{"ErrImagePull", "InvalidImageName", "Unschedulable", "CreateContainerError"}[chosen.IntN(4)]
			}
			if phase == runner.PhaseEnded && chosen.IntN(2) == 0 {
				o.Reason = []fault.Reason{fault.Evicted, fault.PodLost, fault.TimedOut, fault.LimitExceeded}[chosen.IntN(4)]
			}
			if chosen.IntN(4) == 0 {
				o.Outcome = &report.Outcome{ExitCode: chosen.IntN(2), Counts: counts(chosen.IntN(3), chosen.IntN(2)),
					Reason: []string{"", "", report.ReasonTimedOut, report.ReasonContentFailed, report.ReasonReportMissing}[chosen.IntN(5)]}
			}
			if chosen.IntN(2) == 0 {
				exit(int32(chosen.IntN(3)))(&o)
			}
			obs.Attempts = append(obs.Attempts, o)
		}
		if chosen.IntN(10) == 0 {
			reason := []fault.Reason{fault.PodRefused, fault.RateLimited}[chosen.IntN(2)]
			obs.Refused = append(obs.Refused, runner.Refusal{AttemptID: runner.AttemptOf(suite, int32(chosen.IntN(3))), Err: &fault.Fault{Reason: reason, Message: "no"}})
		}
	}
	for i := range obs.Attempts { // in any order
		j := i + chosen.IntN(len(obs.Attempts)-i)
		obs.Attempts[i], obs.Attempts[j] = obs.Attempts[j], obs.Attempts[i]
	}
	return obs
}

var rank = map[v1alpha1.RunState]int{"": 0, v1alpha1.StatePending: 1, v1alpha1.StateRunning: 2,
	v1alpha1.StatePassed: 3, v1alpha1.StateFailed: 3, v1alpha1.StateErrored: 3, v1alpha1.StateCancelled: 3}

func checkMonotone(t *testing.T, before, after v1alpha1.TestRunStatus) {
	t.Helper()
	if before.State.Final() {
		if diff := difference(before, after); diff != "" {
			t.Fatalf("a final run changes: %s", diff)
		}
	}
	if rank[after.State] < rank[before.State] {
		t.Fatalf("the run goes from %s to %s", before.State, after.State)
	}
	for i, old := range before.Suites {
		suite := after.Suites[i]
		if old.State.Final() {
			if diff := difference(old, suite); diff != "" {
				t.Fatalf("a final suite changes: %s", diff)
			}
		}
		if rank[suite.State] < rank[old.State] {
			t.Fatalf("suite %s goes from %s to %s", suite.Name, old.State, suite.State)
		}
		for j, attempt := range old.Attempts {
			if attempt.State.Final() {
				if diff := difference(attempt, suite.Attempts[j]); diff != "" {
					t.Fatalf("a final attempt changes: %s", diff)
				}
			}
		}
	}
	for _, suite := range after.Suites {
		active := 0
		for _, attempt := range suite.Attempts {
			if !attempt.State.Final() {
				active++
			}
		}
		if active > 1 || active > 0 && suite.State.Final() {
			t.Fatalf("suite %s is %s with %d active attempts", suite.Name, suite.State, active)
		}
		if suite.State.Final() && suite.State != v1alpha1.StatePassed && suite.Reason == "" {
			t.Fatalf("suite %s is %s without a reason", suite.Name, suite.State)
		}
	}
}

func checkStarts(t *testing.T, obs runner.Observed, after v1alpha1.TestRunStatus, actions []runner.Action) {
	t.Helper()
	seen := map[string]bool{}
	for _, start := range starts(actions) {
		if seen[start.Suite] {
			t.Fatalf("suite %s is started twice", start.Suite)
		}
		seen[start.Suite] = true
		if start.Suite == "reused" || start.Suite == "forbidden" {
			t.Fatalf("suite %s is started, though the plan settles it", start.Suite)
		}
		for _, suite := range after.Suites {
			if suite.Name != start.Suite {
				continue
			}
			if suite.State.Final() || after.State.Final() {
				t.Fatalf("suite %s is started and %s", suite.Name, suite.State)
			}
			for _, a := range suite.Attempts {
				if !a.State.Final() || a.Number >= start.Number {
					t.Fatalf("attempt %d is started beside %+v", start.Number, a)
				}
			}
		}
	}
	if n := len(starts(actions)); n > max(obs.Slots, 0) {
		t.Fatalf("%d starts with %d slots", n, obs.Slots)
	}
	for i, a := range actions {
		if a.WaitUntil != nil && i != len(actions)-1 {
			t.Fatal("WaitUntil is not the last action")
		}
	}
	for _, pod := range stops(actions) {
		if pod == "foreign" {
			t.Fatal("a foreign pod is stopped")
		}
	}
}
