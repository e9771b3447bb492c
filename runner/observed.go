package runner

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner/report"
)

// Observed is what can be seen of a run.
type Observed struct {
	// Attempts from Executor.List, in any order.
	Attempts []ObservedAttempt
	// Refused are the attempts that Executor.Start did not accept since the last call. After a refusal, call Next
	// again with it before the status is written.
	Refused []Refusal
	// Slots is how many more pods the environment has room for now.
	Slots int
	// Blocked is why nothing can be started now: the catalog cannot be had. What runs goes on and is judged.
	Blocked error
	// Superseded says that a newer commit of the same branch or pull request has taken the run's place.
	Superseded bool
}

// Refusal is an attempt that could not be started. A fault of kind User ends the suite; another one leaves it waiting,
// to be started again after the time that the fault names.
type Refusal struct {
	AttemptID
	Err error
}

// Phase is how far a pod has come.
type Phase string

// The phases.
const (
	// PhasePending: the pod exists, its container has not started.
	PhasePending Phase = "Pending"
	// PhaseRunning: its container runs.
	PhaseRunning Phase = "Running"
	// PhaseEnded: its container ended, or never will run.
	PhaseEnded Phase = "Ended"
)

// ObservedAttempt is what can be seen of one pod.
type ObservedAttempt struct {
	AttemptID
	// Pod is its name, and UID what tells it from others of that name; empty while it is being created.
	Pod   string
	UID   types.UID
	Phase Phase
	// Stopping says that the pod is being deleted, by whomever.
	Stopping bool
	// StopBy is when a pod that is Stopping should be gone; zero otherwise.
	StopBy time.Time
	// ContentDigest is that of the content the pod may fetch, EnvironmentDigest what
	// catalog.EnvironmentDigest gave when the pod of a hermetic suite was made; empty otherwise.
	ContentDigest, EnvironmentDigest string
	// Wrapped says that the command runs below assay-exec, and Timeout is that of the attempt; 0 when it is not known.
	// The pod itself says so, as it was made: it can be judged while the catalog cannot be had.
	Wrapped bool
	Timeout time.Duration
	// Outcome is what assay-exec sent; nil when nothing came (yet), or when the suite runs without it.
	Outcome *report.Outcome
	// ExitCode of the container, nil unless it ended by itself.
	ExitCode *int32
	// Reason is what the cluster says about an ended pod: Evicted, PodLost, TimedOut (over its deadline),
	// LimitExceeded (out of memory or disk), CommandNotFound (the container could not be started), ContentFailed
	// (assay-exec could not be delivered). Empty when the container simply ended.
	Reason fault.Reason
	// Waiting is why a pending pod does not start, as the kubelet or the scheduler calls it, such as
	// ImagePullBackOff or Unschedulable. Empty when nothing is wrong.
	Waiting string
	// Message is one line on Reason or Waiting.
	Message string
	// Created, Scheduled, Started and Ended are the times of the pod and its container; zero when not yet.
	Created, Scheduled, Started, Ended time.Time
}
