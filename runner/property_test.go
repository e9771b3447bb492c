package runner_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// FuzzNext drives a run with whatever could be observed, and more, and holds Next to its promises:
// a suite has at most one attempt that is not final, and Next never starts another beside it; what is final stays as it
// is; no state goes back; the slots are kept; applying Next twice changes nothing.
func FuzzNext(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		random := rand.New(rand.NewPCG(a, b))
		w := newWorld("a", "b?", "c!", "d", "reused=", "forbidden#?")
		now := time.Duration(0)
		for range 25 {
			now += time.Duration(random.IntN(120)) * time.Second
			obs := observedAtRandom(random, w)
			w.run.Spec.Cancel = w.run.Spec.Cancel || random.IntN(40) == 0
			w.env.Spec.Suspend = random.IntN(10) == 0
			before := *w.run.Status.DeepCopy()
			actions := w.next(now, obs)
			after := throughTheAPI(t, w.run.Status)
			w.run.Status = after
			checkMonotone(t, before, after)
			checkStarts(t, obs, after, actions)

			again := w.next(now, obs)
			if diff := cmp.Diff(after, throughTheAPI(t, w.run.Status)); diff != "" {
				t.Fatalf("the second time the status changes: %s", diff)
			}
			if diff := cmp.Diff(actions, again); diff != "" {
				t.Fatalf("the second time the actions change: %s", diff)
			}
		}
	})
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

func observedAtRandom(random *rand.Rand, w *world) runner.Observed {
	obs := runner.Observed{Slots: random.IntN(4) - 1, Superseded: random.IntN(60) == 0}
	for _, suite := range []string{"a", "b", "c", "d", "reused", "forbidden", "not-in-the-plan"} {
		for number := range int32(4) {
			if random.IntN(3) > 0 {
				continue
			}
			phase := []runner.Phase{runner.PhasePending, runner.PhaseRunning, runner.PhaseEnded}[random.IntN(3)]
			o := w.pod(suite, number, phase)
			if random.IntN(8) == 0 {
				stopping(&o)
			}
			if random.IntN(2) == 0 {
				o.ContentDigest, o.EnvironmentDigest = "sha256:c", "sha256:e"
			}
			if random.IntN(20) == 0 {
				o.Pod = "foreign"
			}
			if random.IntN(4) == 0 {
				o.Waiting = []string{"ErrImagePull", "InvalidImageName", "Unschedulable", "CreateContainerError"}[random.IntN(4)]
			}
			if phase == runner.PhaseEnded && random.IntN(2) == 0 {
				o.Reason = []fault.Reason{fault.Evicted, fault.PodLost, fault.TimedOut, fault.LimitExceeded}[random.IntN(4)]
			}
			if random.IntN(4) == 0 {
				o.Outcome = &report.Outcome{ExitCode: random.IntN(2), Counts: counts(random.IntN(3), random.IntN(2)),
					Reason: []string{"", "", report.ReasonTimedOut, report.ReasonContentFailed, report.ReasonReportMissing}[random.IntN(5)]}
			}
			if random.IntN(2) == 0 {
				exit(int32(random.IntN(3)))(&o)
			}
			obs.Attempts = append(obs.Attempts, o)
		}
		if random.IntN(10) == 0 {
			reason := []fault.Reason{fault.PodRefused, fault.RateLimited}[random.IntN(2)]
			obs.Refused = append(obs.Refused, runner.Refusal{Suite: suite, Number: int32(random.IntN(3)), Err: &fault.Fault{Reason: reason, Message: "no"}})
		}
	}
	random.Shuffle(len(obs.Attempts), func(i, j int) { obs.Attempts[i], obs.Attempts[j] = obs.Attempts[j], obs.Attempts[i] })
	return obs
}

var rank = map[v1alpha1.RunState]int{"": 0, v1alpha1.StatePending: 1, v1alpha1.StateRunning: 2,
	v1alpha1.StatePassed: 3, v1alpha1.StateFailed: 3, v1alpha1.StateErrored: 3, v1alpha1.StateCancelled: 3}

func checkMonotone(t *testing.T, before, after v1alpha1.TestRunStatus) {
	t.Helper()
	if before.State.Final() {
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("a final run changes: %s", diff)
		}
	}
	if rank[after.State] < rank[before.State] {
		t.Fatalf("the run goes from %s to %s", before.State, after.State)
	}
	for i, old := range before.Suites {
		suite := after.Suites[i]
		if old.State.Final() {
			if diff := cmp.Diff(old, suite); diff != "" {
				t.Fatalf("a final suite changes: %s", diff)
			}
		}
		if rank[suite.State] < rank[old.State] {
			t.Fatalf("suite %s goes from %s to %s", suite.Name, old.State, suite.State)
		}
		for j, attempt := range old.Attempts {
			if attempt.State.Final() {
				if diff := cmp.Diff(attempt, suite.Attempts[j]); diff != "" {
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
