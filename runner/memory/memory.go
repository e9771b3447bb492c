// Package memory is an Executor that runs nothing: attempts are entries of a map, and a test says how they go on.
//
// It passes the conformance suite of runner/runnertest, so what a test sees of it holds for pods.
package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/report"
)

var _ runner.Executor = (*Executor)(nil)

// Executor keeps attempts in memory. Use New.
type Executor struct {
	now    func() time.Time
	refuse func(runner.Attempt) error

	mu   sync.Mutex
	pods map[string]*entry
}

type entry struct {
	run       types.UID
	namespace string // of the run
	env       string
	attempt   runner.ObservedAttempt
}

// New gives an executor without attempts. now is its clock; nil means time.Now. refuse, unless it is nil, says why an
// attempt is not accepted; nil accepts it.
func New(now func() time.Time, refuse func(runner.Attempt) error) *Executor {
	if now == nil {
		now = time.Now
	}
	if refuse == nil {
		refuse = func(runner.Attempt) error { return nil }
	}
	return &Executor{now: now, refuse: refuse, pods: map[string]*entry{}}
}

// Start enters the attempt as pending.
func (e *Executor) Start(ctx context.Context, attempt runner.Attempt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.refuse(attempt); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	name := runner.PodName(attempt.Run, attempt.ID)
	if there, ok := e.pods[name]; ok {
		if there.run != attempt.Run.UID {
			return fault.New(fault.Conflict, fault.Place{}, "", "pod %q belongs to somebody else", name)
		}
		return nil
	}
	e.pods[name] = &entry{run: attempt.Run.UID, namespace: attempt.Run.Namespace, env: attempt.Environment.Name, attempt: runner.ObservedAttempt{
		AttemptID: attempt.ID, Pod: name, Phase: runner.PhasePending, Created: e.now(),
		Wrapped: runner.Wrapped(attempt.Suite), Timeout: runner.Timeout(attempt.Suite),
		ContentDigest: attempt.ContentDigest, EnvironmentDigest: attempt.EnvironmentDigest(),
	}}
	return nil
}

// Stop removes the attempt.
func (e *Executor) Stop(ctx context.Context, run *v1alpha1.TestRun, pod string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if there, ok := e.pods[pod]; ok && there.run == run.UID {
		delete(e.pods, pod)
	}
	return nil
}

// List gives the attempts of the run.
func (e *Executor) List(ctx context.Context, run *v1alpha1.TestRun) ([]runner.ObservedAttempt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var attempts []runner.ObservedAttempt
	for _, there := range e.pods {
		if there.run == run.UID {
			attempts = append(attempts, there.attempt)
		}
	}
	slices.SortFunc(attempts, func(a, b runner.ObservedAttempt) int { return a.Compare(b.AttemptID) })
	return attempts, nil
}

// Used counts the environment's attempts that have not ended.
func (e *Executor) Used(ctx context.Context, env *v1alpha1.TestEnvironment) (map[string]int, error) {
	used := map[string]int{}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, there := range e.pods {
		if there.env == env.Name && there.attempt.Phase != runner.PhaseEnded {
			used[there.namespace]++
		}
	}
	return used, ctx.Err()
}

// Change lets the pod go on: it is called with what is observed of it so far.
func (e *Executor) Change(pod string, change func(*runner.ObservedAttempt)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	there, ok := e.pods[pod]
	if !ok {
		return fmt.Errorf("no pod %q", pod)
	}
	change(&there.attempt)
	return nil
}

// Run lets the pod's container start.
func (e *Executor) Run(pod string) error {
	return e.Change(pod, func(o *runner.ObservedAttempt) {
		o.Phase, o.Scheduled, o.Started = runner.PhaseRunning, e.now(), e.now()
	})
}

// End lets the pod's container end. outcome is what assay-exec told; nil for a suite that runs without it.
func (e *Executor) End(pod string, exitCode int32, outcome *report.Outcome) error {
	return e.Change(pod, func(o *runner.ObservedAttempt) {
		if o.Started.IsZero() {
			o.Scheduled, o.Started = e.now(), e.now()
		}
		o.Phase, o.Ended, o.ExitCode, o.Outcome = runner.PhaseEnded, e.now(), &exitCode, outcome
	})
}

// Lose takes the pod away as the cluster does, for the reason: Evicted or PodLost.
func (e *Executor) Lose(pod string, reason fault.Reason) error {
	return e.Change(pod, func(o *runner.ObservedAttempt) {
		o.Phase, o.Ended, o.Reason, o.Message = runner.PhaseEnded, e.now(), reason, "the cluster took the pod away"
	})
}
