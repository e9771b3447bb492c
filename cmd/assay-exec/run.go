package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

// run does the whole attempt and gives the exit code.
func run(c config) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	deadline := time.Now().Add(c.timeout)

	o := attempt(c, deadline, signals)
	o = maskOf(c).outcome(o)
	if text := wrong(o); text != "" {
		say("%s", text)
	}
	writeTermination(c.terminationLog, o)
	if err := tell(c, o); err != nil {
		say("%v", err)
	}
	return exitCode(o)
}

// maskOf hides the gateway's token as well, as it was and as the kubelet has renewed it.
func maskOf(c config) *masker {
	token, err := os.ReadFile(c.tokenFile)
	if err != nil { // then there is none to be shown
		return c.mask
	}
	return c.mask.with(string(token))
}

// wrong is what the pod's log says beside the command's own output: how the command ended first.
func wrong(o report.Outcome) string {
	if o.Reason == "" && o.Message == "" {
		return ""
	}
	var said []string
	if o.Ran() && o.ExitCode != 0 {
		said = append(said, fmt.Sprintf("exit code %d", o.ExitCode))
	}
	if o.Reason != "" {
		said = append(said, o.Reason)
	}
	return strings.Join(append(said, o.Message), ": ")
}

func attempt(c config, deadline time.Time, signals <-chan os.Signal) report.Outcome {
	if o, stopped := prepare(c, deadline, signals); stopped {
		return o
	}
	r, err := newReader(c)
	if err != nil {
		return report.Outcome{Reason: report.ReasonContentFailed, Message: err.Error()}
	}
	defer r.close()
	return judge(c, runCommand(c, deadline, signals, r.stdout()), r)
}

// prepare fetches the content and enters the working folder.
func prepare(c config, deadline time.Time, signals <-chan os.Signal) (o report.Outcome, stopped bool) {
	ctx, cancel := context.WithDeadlineCause(context.Background(), deadline, errors.New("the timeout is over"))
	defer cancel()
	ctx, ended := heed(ctx, signals)

	reason, err := report.ReasonContentFailed, fetch(ctx, c)
	if err == nil {
		reason, err = report.ReasonWorkingDirInvalid, enter(c)
	}
	switch {
	case ended():
		return report.Outcome{Reason: report.ReasonEvicted, Message: errStopped.Error()}, true
	case err != nil:
		return report.Outcome{Reason: reason, Message: err.Error()}, true
	}
	return report.Outcome{}, false
}

// heed gives a context that a signal cancels. ended stops listening and says whether a signal came. No signal is lost
// between the two: one that was not taken by then is still in the channel, for whoever listens next.
func heed(ctx context.Context, signals <-chan os.Signal) (heeding context.Context, ended func() (signalled bool)) {
	heeding, stop := context.WithCancelCause(ctx)
	enough, taken := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-signals:
			stop(errStopped)
			taken <- true
		case <-enough:
			taken <- false
		}
	}()
	return heeding, func() bool {
		close(enough)
		defer stop(nil)
		return <-taken
	}
}

var errStopped = errors.New("the pod was stopped")

// judge reads the report in the light of how the command ended.
func judge(c config, e ending, r *reader) report.Outcome {
	o := report.Outcome{ExitCode: e.code, Reason: e.reason, Message: e.message, Started: e.started, Ended: e.ended, Output: e.output}
	if !o.Ran() {
		return o
	}
	stopped := o.Reason != "" || o.Killed()
	var complaint error
	if r.promised() {
		var parsed report.Report
		parsed, complaint = r.read()
		if stopped {
			parsed = report.Stopped(parsed)
		} else if complaint == nil && parsed.Truncated {
			complaint = errTruncated
		}
		o.Tell(report.Settle(parsed, e.code))
	}
	if stopped { // what the report lacks is no news
		return o
	}
	var said []string
	if o.ExitCode != 0 && o.Counts.Total == 0 {
		said = append(said, scriptTrouble(c))
	}
	if complaint != nil {
		o.Reason = problem(complaint)
		said = append(said, complain(complaint, o.ExitCode != 0))
	}
	o.Message = strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), "; ")
	return o
}

var errTruncated = errors.New("the report breaks off before its end")

// complain words what is wrong with a report. What to do about that is left out where the command failed: it is the
// failure that is to be mended, and the report comes by itself.
func complain(err error, failed bool) string {
	if one, only := err.(*report.Error); only && failed {
		short := *one
		short.Remedy = ""
		return short.Error()
	}
	return err.Error()
}

// problem tells a report that is not there from one that cannot be used.
func problem(err error) string {
	if errors.Is(err, report.ErrMissing) || errors.Is(err, report.ErrEmpty) {
		return report.ReasonReportMissing
	}
	return report.ReasonReportInvalid
}
