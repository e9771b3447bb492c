// Package memory is an Executor that runs nothing: attempts are entries of a map whose ends a test scripts.
//
// It passes the conformance suite of runner/runnertest, so what holds for it holds for pods.
package memory

import (
	"context"
	"sync"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// Executor keeps attempts in memory. Use New.
type Executor struct {
	mu sync.Mutex
}

// New gives an executor without attempts.
func New() *Executor { return &Executor{} }

// Start enters the attempt as pending.
func (e *Executor) Start(ctx context.Context, attempt runner.Attempt) error { panic("being written") }

// Stop removes the attempt.
func (e *Executor) Stop(ctx context.Context, run *v1alpha1.TestRun, pod string) error {
	panic("being written")
}

// List gives the attempts of the run.
func (e *Executor) List(ctx context.Context, run *v1alpha1.TestRun) ([]runner.ObservedAttempt, error) {
	panic("being written")
}
