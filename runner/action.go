package runner

import "time"

// Action is something to do. Exactly one field is set.
type Action struct {
	// Start a new attempt.
	Start *AttemptID
	// Stop a pod.
	Stop *StopAttempt
	// WaitUntil is when to look again even if nothing was observed to change.
	WaitUntil *time.Time
}

// StopAttempt asks for the end of a pod.
type StopAttempt struct {
	// Pod is its name.
	Pod string
}
