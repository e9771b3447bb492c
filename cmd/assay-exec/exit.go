package main

import "github.com/assay-dev/assay/runner/report"

// The exit codes that are not the command's. They are told only where the command's own code is 0 or there is none, so
// a test command that itself exits with one of them is not mistaken: what counts is the outcome, the codes are for people.
const (
	exitUsage         = 2
	exitNoWorkingDir  = 119
	exitContentFailed = 120
	exitReportMissing = 121
	exitReportInvalid = 122
	exitCasesFailed   = 123
	exitTimedOut      = 124 // as timeout(1)
	exitNotExecutable = 126 // as a shell
	exitNotFound      = 127 // as a shell
	exitStopped       = 128 + 15
)

// exitCode of assay-exec for an outcome.
func exitCode(o report.Outcome) int {
	switch o.Reason {
	case report.ReasonTimedOut:
		return exitTimedOut
	case report.ReasonEvicted:
		return exitStopped
	case report.ReasonContentFailed:
		return exitContentFailed
	case report.ReasonWorkingDirInvalid:
		return exitNoWorkingDir
	}
	switch {
	case o.ExitCode != 0:
		return o.ExitCode
	case o.Counts.Bad() > 0:
		return exitCasesFailed
	case o.Reason == report.ReasonReportMissing:
		return exitReportMissing
	case o.Reason == report.ReasonReportInvalid:
		return exitReportInvalid
	}
	return 0
}
