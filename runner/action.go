package runner

import "time"

// Action is something to do. Exactly one field is set.
type Action struct {
	// Start a new attempt.
	Start *StartAttempt
	// Stop a pod.
	Stop *StopAttempt
	// WaitUntil is when to look again even if nothing was observed to change.
	WaitUntil *time.Time
}

// StartAttempt asks for a pod of the suite.
type StartAttempt struct {
	Suite string
	// Number of the attempt, from 1.
	Number int32
}

// StopAttempt asks for the end of a pod.
type StopAttempt struct {
	// Pod is its name.
	Pod string
}
