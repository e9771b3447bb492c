package report

import "time"

// Outcome is what assay-exec says about one attempt: how the command ended and what its report tells. It travels as JSON
// of at most OutcomeBytes from the test pod through the gateway into the pod's annotation, and cut down to
// TerminationBytes in the container's termination message. Whoever runs in the pod can write it, so readers bound it
// again with Bounded.
type Outcome struct {
	// ExitCode of the command; 128 + n when signal n ended it.
	ExitCode int `json:"exitCode"`
	// Reason is empty when the command ran and its report could be read. Else it is one of the Reason constants,
	// which are spelled as in api/fault.
	Reason string `json:"reason,omitempty"`
	// Message is one line on the reason, at most 1 KiB.
	Message string `json:"message,omitempty"`
	// Started and Ended enclose the command.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Counts of the report; all zero without one.
	Counts Counts `json:"counts,omitzero"`
	// Failures are the first OutcomeFailures cases that failed, with messages of at most 1 KiB and without details
	// and output.
	Failures []Case `json:"failures,omitempty"`
	// Warnings on the report, at most 20 of at most 512 bytes.
	Warnings []string `json:"warnings,omitempty"`
	// Output is the end of what the command printed, at most OutcomeOutput bytes, secrets masked.
	Output string `json:"output,omitempty"`
}

// The reasons of an Outcome.
const (
	ReasonCommandNotFound = "CommandNotFound"
	ReasonReportMissing   = "ReportMissing"
	ReasonReportInvalid   = "ReportInvalid"
	ReasonTimedOut        = "TimedOut"
	ReasonContentFailed   = "ContentFailed"
	// ReasonEvicted: somebody else than Assay stopped the pod while the command ran.
	ReasonEvicted = "Evicted"
)

// The bounds of an Outcome.
const (
	OutcomeBytes     = 64 << 10
	TerminationBytes = 4 << 10
	OutcomeFailures  = 10
	OutcomeOutput    = 4 << 10
)
