package runner

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner/report"
)

// The grace times. They are exported because the pod and assay-exec are built to them.
const (
	// StopGrace is the time from SIGTERM to SIGKILL, in which a tool writes its report.
	StopGrace = 30 * time.Second
	// TellGrace is the time after the command's end that assay-exec has to read the report and tell the outcome.
	TellGrace = time.Minute
)

// Wrapped says whether the suite's command runs below assay-exec. A suite without a command runs its image's entry point
// unwrapped, without content, and its exit code is the verdict.
func Wrapped(suite catalog.Suite) bool { return len(suite.Spec.Command) > 0 }

// Timeout of one attempt of the suite.
func Timeout(suite catalog.Suite) time.Duration {
	if t := suite.Spec.Timeout; t != nil && t.Duration > 0 {
		return t.Duration
	}
	return v1alpha1.DefaultTimeout
}

// judge sets the state of an attempt that is not final by its pod.
func (s *step) judge(a *v1alpha1.Attempt, suite *v1alpha1.SuiteStatus, o ObservedAttempt) {
	switch {
	case o.Phase == PhaseEnded:
		s.verdict(a, o)
	case o.Outcome != nil && told(*o.Outcome): // the container is about to end; there is nothing more to learn
		a.State = v1alpha1.StateRunning
		s.verdict(a, o)
	case o.Stopping && !s.now.Before(o.StopBy.Add(lagGrace)):
		s.end(a, v1alpha1.StateErrored, fault.PodLost, "the pod was deleted and its node does not end it", s.now)
	case o.Stopping: // once it is gone it is lost
		s.lookAgain(o.StopBy.Add(lagGrace))
	case o.Phase == PhaseRunning:
		s.judgeRunning(a, o)
	default:
		s.judgePending(a, o)
	}
}

// told says whether what a pod told of itself decides before its container has ended: that it went wrong, and not by a
// signal, of which the cluster knows more. That it went well is for the exit code to confirm.
func told(o report.Outcome) bool {
	return !o.Good() && !o.Killed() && o.Reason != report.ReasonEvicted
}

func (s *step) judgeRunning(a *v1alpha1.Attempt, o ObservedAttempt) {
	a.State, a.Reason, a.Message = v1alpha1.StateRunning, "", ""
	if end := s.endOf(o); s.now.Before(end) {
		s.lookAgain(end)
		return
	}
	if o.Outcome != nil { // its container does not end: nobody will tell more
		s.verdict(a, o)
		return
	}
	s.end(a, v1alpha1.StateFailed, fault.TimedOut, timedOut(o), s.now)
}

// endOf is when a running pod is stopped from outside. assay-exec keeps the timeout itself, so that the tool's report is
// not lost; it is waited for a little longer.
func (s *step) endOf(o ObservedAttempt) time.Time {
	begin := o.Started
	if begin.IsZero() {
		begin = o.Created
	}
	end := begin.Add(timeoutOf(o))
	if o.Wrapped || o.Outcome != nil {
		end = end.Add(StopGrace + TellGrace)
	}
	return end
}

// timeoutOf is that of an attempt whose pod does not say.
func timeoutOf(o ObservedAttempt) time.Duration {
	if o.Timeout <= 0 {
		return v1alpha1.DefaultTimeout
	}
	return o.Timeout
}

func timedOut(o ObservedAttempt) string { return fmt.Sprintf("timed out after %s", timeoutOf(o)) }

// verdict ends an attempt whose container ended. What the cluster says outranks what the pod says of itself; a reason
// outranks the exit code; the exit code and the report both have to be good.
func (s *step) verdict(a *v1alpha1.Attempt, o ObservedAttempt) {
	a.ExitCode = o.ExitCode
	if o.Outcome != nil && o.Outcome.Ran() && !contradicted(o) {
		code := int32(o.Outcome.ExitCode)
		a.ExitCode = &code
	}
	state, reason, message := decide(o)
	s.end(a, state, reason, message, o.Ended)
}

// contradicted says whether the pod told that all went well, and its container ended otherwise.
func contradicted(o ObservedAttempt) bool {
	return o.Outcome != nil && o.Outcome.Good() && o.ExitCode != nil && *o.ExitCode != 0
}

func decide(o ObservedAttempt) (v1alpha1.RunState, fault.Reason, string) {
	switch {
	case o.Reason == fault.TimedOut:
		return v1alpha1.StateFailed, fault.TimedOut, timedOut(o)
	case o.Reason == fault.LimitExceeded:
		return v1alpha1.StateFailed, fault.LimitExceeded, o.Message
	case o.Reason != "":
		return v1alpha1.StateErrored, o.Reason, o.Message
	case contradicted(o):
		return v1alpha1.StateFailed, fault.TestsFailed,
			fmt.Sprintf("exit code %d, though the pod told that all went well", *o.ExitCode)
	case o.Outcome != nil:
		return decideOutcome(o, *o.Outcome)
	case o.Stopping:
		return v1alpha1.StateErrored, fault.Evicted, "the pod was deleted before it ended"
	case o.ExitCode == nil:
		return v1alpha1.StateErrored, fault.PodLost, "the pod ended and nobody knows how"
	case *o.ExitCode != 0:
		return v1alpha1.StateFailed, fault.TestsFailed, fmt.Sprintf("exit code %d", *o.ExitCode)
	case o.Wrapped:
		return v1alpha1.StateErrored, fault.ReportMissing, "the pod ended without telling its outcome"
	}
	return v1alpha1.StatePassed, "", "exit code 0"
}

func decideOutcome(pod ObservedAttempt, o report.Outcome) (v1alpha1.RunState, fault.Reason, string) {
	bad := o.Counts.Bad()
	switch o.Reason {
	case report.ReasonTimedOut:
		return v1alpha1.StateFailed, fault.TimedOut, timedOut(pod)
	case report.ReasonReportMissing, report.ReasonReportInvalid:
		if o.ExitCode != 0 {
			return v1alpha1.StateFailed, fault.TestsFailed, exited(o)
		}
		if bad > 0 {
			return v1alpha1.StateFailed, fault.TestsFailed, ofCases(o.Counts) + "; " + o.Message
		}
		return v1alpha1.StateErrored, fault.Reason(o.Reason), o.Message
	case report.ReasonEvicted:
		if !pod.Stopping { // the cluster says nothing of it: the suite gets no other try
			return v1alpha1.StateFailed, fault.TestsFailed,
				exited(o) + ": a signal from inside the pod stopped it; have the suite signal its own processes alone"
		}
		return v1alpha1.StateErrored, fault.Evicted, o.Message
	case "":
	default: // it did not run
		return v1alpha1.StateErrored, fault.Reason(o.Reason), o.Message
	}
	switch {
	case o.Killed() && bad > 0:
		return v1alpha1.StateFailed, fault.TestsFailed, exited(o) + "; " + ofCases(o.Counts)
	case bad > 0:
		return v1alpha1.StateFailed, fault.TestsFailed, ofCases(o.Counts)
	case o.Killed():
		return v1alpha1.StateFailed, fault.TestsFailed, exited(o)
	case o.ExitCode != 0 && o.Counts.Total > 0:
		return v1alpha1.StateFailed, fault.TestsFailed, fmt.Sprintf("exit code %d, though no case of the report failed", o.ExitCode)
	case o.ExitCode != 0:
		return v1alpha1.StateFailed, fault.TestsFailed, exited(o)
	}
	return v1alpha1.StatePassed, "", passed(o.Counts)
}

// exited says how a command ended that did not end well, and then what assay-exec has to add.
func exited(o report.Outcome) string {
	text := fmt.Sprintf("exit code %d", o.ExitCode)
	if o.Killed() {
		text = fmt.Sprintf("killed by SIGKILL, exit code %d", o.ExitCode)
	}
	if o.Message != "" {
		text += "; " + o.Message
	}
	return text
}
