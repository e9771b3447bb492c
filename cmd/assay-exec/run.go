package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/runner/content"
	"github.com/assay-dev/assay/runner/report"
)

// The exit codes beside the command's own; 124, 126 and 127 are those of timeout(1) and shells.
const (
	exitTimedOut = 124
	exitBroken   = 125
	exitCannot   = 126
	exitNotFound = 127
)

// run does the whole job and gives the exit code. What happened is told to the gateway, and
// always left in the termination log, in case the gateway cannot be reached.
func run(ctx context.Context, o options, s settings, stop <-chan os.Signal) int {
	gateway, err := newGateway(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "assay-exec:", err)
		return exitUsage
	}
	outcome, exit := attempt(ctx, o, gateway, stop)
	outcome = s.masker.outcome(outcome).Bounded()
	if outcome.Reason != "" {
		fmt.Fprintf(os.Stderr, "assay-exec: %s: %s\n", outcome.Reason, outcome.Message)
	}
	if err := os.WriteFile(o.terminationLog, outcome.Encode(report.TerminationBytes), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "assay-exec:", err)
	}
	if err := gateway.tell(ctx, outcome); err != nil {
		fmt.Fprintln(os.Stderr, "assay-exec: the outcome was not taken:", err)
	}
	return exit
}

// attempt fetches the content, runs the command and reads the report.
func attempt(ctx context.Context, o options, gateway *gateway, stop <-chan os.Signal) (report.Outcome, int) {
	if o.content != "" {
		if err := gateway.fetch(ctx, o.content, o.workspace); err != nil {
			return report.Outcome{Reason: report.ReasonContentFailed, Message: err.Error()}, exitBroken
		}
	}
	dir := filepath.Join(o.workspace, o.workingDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return report.Outcome{Reason: report.ReasonContentFailed, Message: err.Error()}, exitBroken
	}
	// The command, and programs that it names by a relative path, are looked up from here.
	if err := os.Chdir(dir); err != nil {
		return report.Outcome{Reason: report.ReasonContentFailed, Message: err.Error()}, exitBroken
	}
	var spool *spool
	if o.reportFormat != "" && o.reportPath == "-" {
		var err error
		if spool, err = newSpool(); err != nil {
			return report.Outcome{Reason: report.ReasonReportInvalid, Message: err.Error()}, exitBroken
		}
		defer spool.remove()
	}
	tail := &tail{}
	outcome := report.Outcome{Started: time.Now()}
	ended := runCommand(o, spool, tail, stop)
	outcome.Ended, outcome.ExitCode, outcome.Reason, outcome.Message = time.Now(), ended.exitCode, ended.reason, ended.message
	outcome.Output = tail.String()
	exit := ended.exit()
	if o.reportFormat != "" && ended.ran {
		if err := readReport(o, spool, &outcome); err != nil && outcome.Reason == "" {
			outcome.Reason, outcome.Message = reportReason(err), err.Error()
			if exit == 0 {
				exit = exitBroken
			}
		}
	}
	return outcome, exit
}

// unpackLimits are the gateway's own: what it packed, fits.
var unpackLimits = content.Limits{}
