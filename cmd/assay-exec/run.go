package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
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
	o = c.mask.outcome(o)
	if o.Reason != "" {
		say("%s: %s", o.Reason, o.Message)
	}
	writeTermination(c.terminationLog, o)
	if err := tell(c, o); err != nil {
		say("%v", err)
	}
	return exitCode(o)
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
	return judge(runCommand(c, deadline, signals, r.stdout()), r)
}

// prepare fetches the content and enters the working folder.
func prepare(c config, deadline time.Time, signals <-chan os.Signal) (o report.Outcome, stopped bool) {
	ctx, cancel := context.WithDeadlineCause(context.Background(), deadline, errors.New("the timeout is over"))
	defer cancel()
	ctx, ended := heed(ctx, signals)

	err := fetch(ctx, c)
	if err == nil {
		err = enter(filepath.Join(c.workspace, filepath.FromSlash(c.workingDir)))
	}
	switch {
	case ended():
		return report.Outcome{Reason: report.ReasonEvicted, Message: errStopped.Error()}, true
	case err != nil:
		return report.Outcome{Reason: report.ReasonContentFailed, Message: err.Error()}, true
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

// enter makes the folder when the content has no file in it, so that a command without files runs too.
func enter(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.Chdir(folder)
}

// judge reads the report in the light of how the command ended.
func judge(e ending, r *reader) report.Outcome {
	o := report.Outcome{ExitCode: e.code, Reason: e.reason, Message: e.message, Started: e.started, Ended: e.ended, Output: e.output}
	if e.reason == report.ReasonCommandNotFound || r == nil || !r.promised() {
		return o
	}
	parsed, err := r.read()
	o.Tell(report.Settle(parsed, e.code))
	if o.Reason != "" {
		return o
	}
	switch {
	case err != nil:
		o.Reason, o.Message = problem(err), err.Error()
	case parsed.Truncated:
		o.Reason, o.Message = report.ReasonReportInvalid, "the report breaks off before its end"
	}
	return o
}

// problem tells a report that is not there from one that cannot be used.
func problem(err error) string {
	if errors.Is(err, report.ErrMissing) || errors.Is(err, report.ErrEmpty) {
		return report.ReasonReportMissing
	}
	return report.ReasonReportInvalid
}
