package runner_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

// begin is when the world of a test was planned.
var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a run with its suites and environment. Suites are given by name; "name?" is an optional one, "name!" runs its
// image's own entry point, unwrapped; of "name=" an earlier pass is reused, and "name#" is forbidden.
type world struct {
	run    *v1alpha1.TestRun
	suites map[string]catalog.Suite
	env    *v1alpha1.TestEnvironment
}

func newWorld(names ...string) *world {
	w := &world{
		run:    &v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop-staging-1", UID: "u-1", Generation: 3}},
		suites: map[string]catalog.Suite{},
		env:    &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}},
	}
	var plan []v1alpha1.PlannedSuite
	for _, name := range names {
		suite := catalog.Suite{}
		gate := v1alpha1.GateRequired
		suite.Spec.Command = []string{"run"}
		entry := v1alpha1.PlannedSuite{Run: true, Reasons: []string{"because"}}
		for mark := true; mark; {
			switch name[len(name)-1] {
			case '?':
				gate = v1alpha1.GateOptional
			case '!':
				suite.Spec.Command = nil
			case '=':
				entry.Reused = &v1alpha1.ReusedPass{Run: "earlier", Commit: "1234567890"}
			case '#':
				entry.Violation = "it is forbidden"
			default:
				mark = false
				continue
			}
			name = name[:len(name)-1]
		}
		suite.Name, suite.Spec.Gate, suite.Spec.Image = name, gate, "example.org/image:1"
		w.suites[name] = suite
		entry.Suite, entry.Gate, entry.Digest = name, gate, "sha256:"+name
		plan = append(plan, entry)
	}
	plan = append(plan, v1alpha1.PlannedSuite{Suite: "left-out", Reasons: []string{"no changed path concerns it"}})
	w.run.Status = runner.Planned(w.run, plan, begin)
	return w
}

// next applies Next at begin + after and keeps the status.
func (w *world) next(after time.Duration, obs runner.Observed) []runner.Action {
	status, actions := runner.Next(w.run, w.suites, w.env, obs, begin.Add(after))
	w.run.Status = status
	return actions
}

func (w *world) suite(t *testing.T, name string) v1alpha1.SuiteStatus {
	t.Helper()
	i := slices.IndexFunc(w.run.Status.Suites, func(s v1alpha1.SuiteStatus) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("suite %q is not in the status", name)
	}
	return w.run.Status.Suites[i]
}

// pod is an observed attempt that was created and scheduled at begin, with changes on top.
func (w *world) pod(suite string, number int32, phase runner.Phase, changes ...func(*runner.ObservedAttempt)) runner.ObservedAttempt {
	o := runner.ObservedAttempt{AttemptID: runner.AttemptOf(suite, number), Pod: runner.PodName(w.run, runner.AttemptOf(suite, number)), Phase: phase, Created: begin, Scheduled: begin}
	o.Wrapped, o.Timeout = runner.Wrapped(w.suites[suite]), runner.Timeout(w.suites[suite])
	if phase != runner.PhasePending {
		o.Started = begin
	}
	if phase == runner.PhaseEnded {
		o.Ended = begin.Add(time.Minute)
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

type change = func(*runner.ObservedAttempt)

func exit(code int32) change { return func(o *runner.ObservedAttempt) { o.ExitCode = &code } }

func told(outcome report.Outcome) change {
	return func(o *runner.ObservedAttempt) { o.Outcome = &outcome }
}

func waits(reason, message string) change {
	return func(o *runner.ObservedAttempt) { o.Waiting, o.Message = reason, message }
}

func stopping(o *runner.ObservedAttempt) { o.Stopping, o.StopBy = true, begin.Add(2*time.Minute) }

func pods(attempts ...runner.ObservedAttempt) runner.Observed {
	return runner.Observed{Attempts: attempts, Slots: 10}
}

// starts and stops read the actions.
func starts(actions []runner.Action) []runner.AttemptID {
	var list []runner.AttemptID
	for _, a := range actions {
		if a.Start != nil {
			list = append(list, *a.Start)
		}
	}
	return list
}

func stops(actions []runner.Action) []string {
	var list []string
	for _, a := range actions {
		if a.Stop != nil {
			list = append(list, a.Stop.Pod)
		}
	}
	return list
}

// until gives how long after begin Next wants to look again; 0 when it does not.
func until(actions []runner.Action) time.Duration {
	for _, a := range actions {
		if a.WaitUntil != nil {
			return a.WaitUntil.Sub(begin)
		}
	}
	return 0
}
