// Package runnertest is the conformance suite of runner.Executor.
//
// In: a World, which opens an executor and can make its pods end. Every implementation runs it: memory in plain go test,
// pods against a real API server and a real cluster. No scenario can be skipped.
package runnertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// World is an executor and what a test can do with it.
type World struct {
	Executor runner.Executor
	// Attempt gives attempt 1 of a suite that will end with the exit code, in a run that exists and was in no call
	// before. Other attempts of that run are made by copying it.
	Attempt func(t *testing.T, suite string, exitCode int32) runner.Attempt
	// End makes the pod of the attempt end with the exit code; nil when pods run and end by themselves.
	End func(t *testing.T, attempt runner.Attempt, exitCode int32)
	// Refuse makes an attempt one that Start must not accept, by somebody's fault.
	Refuse func(attempt *runner.Attempt)
	// Patience is how long anything may take. Default 10s.
	Patience time.Duration
}

// Test runs the suite; open gives a world for each scenario, which may share what is expensive.
func Test(t *testing.T, open func(t *testing.T) World) {
	for _, scenario := range []struct {
		name string
		play func(*testing.T, player)
	}{
		{"an attempt that is started is listed", listed},
		{"starting twice is a no-op", twice},
		{"starting at the same time is a no-op", atOnce},
		{"a run has its own attempts only", ownOnly},
		{"attempts are sorted by suite and number", sorted},
		{"an attempt that is stopped goes away", stopped},
		{"stopping what is not there is no error", stopNothing},
		{"stopping leaves other runs alone", stopOthers},
		{"exit codes are seen and ended attempts stay", ended},
		{"an ended attempt is not started again", endedOnce},
		{"what must not run is refused", refused},
		{"a context that is done is an error", cancelled},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			w := open(t)
			if w.Patience == 0 {
				w.Patience = 10 * time.Second
			}
			scenario.play(t, player{t, w})
		})
	}
}

type player struct {
	*testing.T
	World
}

func (p player) start(a runner.Attempt) {
	p.Helper()
	if err := p.Executor.Start(p.Context(), a); err != nil {
		p.Fatalf("Start: %v", err)
	}
}

func (p player) list(run *v1alpha1.TestRun) []runner.ObservedAttempt {
	p.Helper()
	list, err := p.Executor.List(p.Context(), run)
	if err != nil {
		p.Fatalf("List: %v", err)
	}
	return list
}

// until lists again and again until the condition holds.
func (p player) until(what string, run *v1alpha1.TestRun, holds func([]runner.ObservedAttempt) bool) []runner.ObservedAttempt {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), p.Patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		list := p.list(run)
		if holds(list) {
			return list
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.Fatalf("after %s not %s: %+v", p.Patience, what, list)
		}
	}
}

// used counts what runs in the attempt's environment, of runs of its namespace.
func (p player) used(a runner.Attempt) int {
	p.Helper()
	n, err := p.Executor.Used(p.Context(), a.Environment)
	if err != nil {
		p.Fatalf("Used: %v", err)
	}
	return n[a.Run.Namespace]
}

// one waits for the attempt to be listed.
func (p player) one(a runner.Attempt) runner.ObservedAttempt {
	p.Helper()
	return p.until("listed", a.Run, func(l []runner.ObservedAttempt) bool { return len(l) == 1 })[0]
}

// numbered gives another attempt of the same run.
func numbered(a runner.Attempt, suite string, number int32) runner.Attempt {
	a.Suite.Name, a.ID = suite, runner.AttemptOf(suite, number)
	return a
}

func listed(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	a.Suite.Spec.Hermetic = true // so that what its environment adds is noted
	if list := p.list(a.Run); len(list) > 0 {
		t.Fatalf("before Start there is %+v", list)
	}
	used := p.used(a)
	before := time.Now().Truncate(time.Second)
	p.start(a)
	if list := p.list(a.Run); len(list) != 1 {
		t.Fatalf("right after Start there is %+v", list)
	}
	if n := p.used(a); n != used+1 && p.End != nil { // elsewhere the pods of other scenarios end meanwhile
		t.Errorf("right after Start %d count, %d before", n, used)
	}
	got := p.one(a)
	want := runner.ObservedAttempt{AttemptID: a.ID, Pod: runner.PodName(a.Run, a.ID),
		ContentDigest: a.ContentDigest, EnvironmentDigest: a.EnvironmentDigest(),
		Wrapped: runner.Wrapped(a.Suite), Timeout: runner.Timeout(a.Suite)}
	if want.EnvironmentDigest == "" {
		t.Error("there is no digest of what the environment adds")
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(runner.ObservedAttempt{}, "UID", "Phase", "Waiting", "Message", "Created", "Scheduled", "Started", "Ended", "ExitCode")); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains([]runner.Phase{runner.PhasePending, runner.PhaseRunning, runner.PhaseEnded}, got.Phase) {
		t.Errorf("the phase is %q", got.Phase)
	}
	if got.Created.Before(before) || got.Created.After(time.Now().Add(time.Second)) {
		t.Errorf("it was created at %s", got.Created)
	}
}

func twice(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	p.start(a)
	first := p.one(a)
	p.start(a)
	if second := p.one(a); !second.Created.Equal(first.Created) {
		t.Errorf("created at %s and again at %s", first.Created, second.Created)
	}
}

func atOnce(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	errs := make(chan error)
	for range 5 {
		go func() { errs <- p.Executor.Start(t.Context(), a) }()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Errorf("Start: %v", err)
		}
	}
	p.one(a)
}

func ownOnly(t *testing.T, p player) {
	a, b := p.Attempt(t, "checkout", 0), p.Attempt(t, "checkout", 0)
	p.start(a)
	p.start(b)
	if p.one(a).Pod == p.one(b).Pod {
		t.Error("two runs share a pod")
	}
}

func sorted(t *testing.T, p player) {
	a := p.Attempt(t, "b", 0)
	for _, next := range []runner.Attempt{numbered(a, "b", 2), a, numbered(a, "a", 10), numbered(a, "a", 9)} {
		p.start(next)
	}
	list := p.until("all listed", a.Run, func(l []runner.ObservedAttempt) bool { return len(l) == 4 })
	type key struct {
		suite  string
		number int32
	}
	var got []key
	for _, o := range list {
		got = append(got, key{o.Suite, o.Number})
	}
	if diff := cmp.Diff([]key{{"a", 9}, {"a", 10}, {"b", 1}, {"b", 2}}, got, cmp.AllowUnexported(key{})); diff != "" {
		t.Error(diff)
	}
}

func stopped(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	p.start(a)
	pod := p.one(a).Pod
	for range 2 {
		if err := p.Executor.Stop(t.Context(), a.Run, pod); err != nil {
			t.Fatalf("Stop: %v", err)
		}
	}
	p.until("gone", a.Run, func(l []runner.ObservedAttempt) bool { return len(l) == 0 })
}

func stopNothing(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	if err := p.Executor.Stop(t.Context(), a.Run, "not-there"); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

func stopOthers(t *testing.T, p player) {
	a, b := p.Attempt(t, "checkout", 0), p.Attempt(t, "checkout", 0)
	p.start(a)
	pod := p.one(a).Pod
	if err := p.Executor.Stop(t.Context(), b.Run, pod); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	if o := p.one(a); o.Stopping {
		t.Error("the pod of another run was stopped")
	}
}

func ended(t *testing.T, p player) {
	for _, code := range []int32{0, 3} {
		a := p.Attempt(t, "checkout", code)
		p.start(a)
		p.one(a)
		used := p.used(a)
		if p.End != nil {
			p.End(t, a, code)
		}
		list := p.until("ended", a.Run, func(l []runner.ObservedAttempt) bool { return len(l) == 1 && l[0].Phase == runner.PhaseEnded })
		if n := p.used(a); n != used-1 && p.End != nil {
			t.Errorf("%d count when it has ended, %d before", n, used)
		}
		o := list[0]
		if o.ExitCode == nil || *o.ExitCode != code || o.Reason != "" {
			t.Errorf("exit code %d: %+v", code, o)
		}
		if o.Started.IsZero() || o.Ended.Before(o.Started) {
			t.Errorf("from %s to %s", o.Started, o.Ended)
		}
	}
}

func endedOnce(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 3)
	p.start(a)
	p.one(a)
	if p.End != nil {
		p.End(t, a, 3)
	}
	isEnded := func(l []runner.ObservedAttempt) bool { return len(l) == 1 && l[0].Phase == runner.PhaseEnded }
	p.until("ended", a.Run, isEnded)
	p.start(a)
	if list := p.list(a.Run); !isEnded(list) {
		t.Errorf("it runs again: %+v", list)
	}
}

func refused(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	p.Refuse(&a)
	err := p.Executor.Start(t.Context(), a)
	if err == nil || fault.ReasonOf(err) != fault.PodRefused {
		t.Errorf("Start gives %v", err)
	}
	if list := p.list(a.Run); len(list) > 0 {
		t.Errorf("and yet there is %+v", list)
	}
}

func cancelled(t *testing.T, p player) {
	a := p.Attempt(t, "checkout", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Executor.Start(ctx, a); err == nil {
		t.Error("Start gives no error")
	} else if fault.Of(err) == fault.User {
		t.Errorf("Start blames the user: %v", err)
	}
	if list := p.list(a.Run); len(list) > 0 {
		t.Errorf("and yet there is %+v", list)
	}
}
