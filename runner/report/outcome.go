package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

// Outcome is what assay-exec says about one attempt: how the command ended and what its report tells. It travels as JSON
// of at most OutcomeBytes from the test pod through the gateway into the pod's annotation, and cut down to
// TerminationBytes in the container's termination message. Whoever runs in the pod can write it: DecodeOutcome bounds
// it, and nothing in it is to be trusted further than the suite itself.
type Outcome struct {
	// ExitCode of the command; 128 + n when signal n ended it. 0 as well when the command never ran: see Reason.
	ExitCode int `json:"exitCode"`
	// Reason is empty when the command ran and its report could be read. Else it is one of the Reason constants.
	Reason string `json:"reason,omitempty"`
	// Message is one line on the reason, or without one on an exit code other than 0; at most 1 KiB, and often empty.
	Message string `json:"message,omitempty"`
	// Started and Ended enclose the command; zero when it never ran.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Counts of the report; all zero without one.
	Counts Counts `json:"counts,omitzero"`
	// Failures are the first OutcomeFailures cases that failed, with messages of at most 1 KiB and without details
	// and output.
	Failures []Case `json:"failures,omitempty"`
	// Warnings on the report, at most 20 of at most 512 bytes.
	Warnings []string `json:"warnings,omitempty"`
	// Output is the end of what the command printed, standard output before standard error, at most OutcomeOutput bytes,
	// secrets masked.
	Output string `json:"output,omitempty"`
}

// The reasons of an Outcome, which are those of package fault. Each has a row in the table below.
const (
	ReasonContentFailed     = string(fault.ContentFailed)
	ReasonWorkingDirInvalid = string(fault.WorkingDirInvalid)
	ReasonCommandNotFound   = string(fault.CommandNotFound)
	ReasonCommandInvalid    = string(fault.CommandInvalid)
	ReasonReportMissing     = string(fault.ReportMissing)
	ReasonReportInvalid     = string(fault.ReportInvalid)
	ReasonTimedOut          = string(fault.TimedOut)
	// ReasonEvicted: somebody else than Assay stopped the pod while the command ran.
	ReasonEvicted = string(fault.Evicted)
)

// outcomeReasons is the one table of the reasons that an Outcome may have, and of what each says of the command.
var outcomeReasons = map[string]struct{ ran bool }{
	"":                      {ran: true},
	ReasonContentFailed:     {ran: false},
	ReasonWorkingDirInvalid: {ran: false},
	ReasonCommandNotFound:   {ran: false},
	ReasonCommandInvalid:    {ran: false},
	ReasonReportMissing:     {ran: true},
	ReasonReportInvalid:     {ran: true},
	ReasonTimedOut:          {ran: true},
	ReasonEvicted:           {ran: true},
}

// Ran says whether the command was started at all. In a pod that was stopped it counts as started, though the pod may
// have been stopped before.
func (o Outcome) Ran() bool { return outcomeReasons[o.Reason].ran }

// killedCode is the exit code of a command that SIGKILL ended, which no command can catch.
const killedCode = 128 + 9

// Killed says whether SIGKILL ended the command, and nobody knows yet who sent it: the kernel does where a container is
// out of memory.
func (o Outcome) Killed() bool { return o.Reason == "" && o.ExitCode == killedCode }

// Good says whether the command ran and did well, as far as it and its report say.
func (o Outcome) Good() bool { return o.Reason == "" && o.ExitCode == 0 && o.Counts.Bad() == 0 }

// The bounds of an Outcome.
const (
	OutcomeBytes     = 64 << 10
	TerminationBytes = 4 << 10
	OutcomeFailures  = 10
	OutcomeOutput    = 4 << 10

	outcomeMessage  = 1 << 10
	outcomeName     = 512
	outcomeWarnings = 20
)

// Tell puts the counts, the first failures and the warnings of a report into the outcome.
func (o *Outcome) Tell(r Report) {
	o.Counts = r.Counts()
	o.Failures = r.Failures(OutcomeFailures)
	o.Warnings = r.Warnings
}

// Bounded gives the outcome with every text clean and within its bounds, every count within reason, and all but the
// first failures and warnings left out. It does not change o. Bounding twice changes nothing.
func (o Outcome) Bounded() Outcome {
	o.Message = line(o.Message, outcomeMessage)
	o.Started, o.Ended = o.Started.Round(0).UTC(), o.Ended.Round(0).UTC()
	o.Counts = boundedCounts(o.Counts)
	o.Failures = slices.Clone(o.Failures[:min(len(o.Failures), OutcomeFailures)])
	for i, c := range o.Failures {
		o.Failures[i] = boundedFailure(c)
	}
	o.Warnings = slices.Clone(o.Warnings[:min(len(o.Warnings), outcomeWarnings)])
	for i, w := range o.Warnings {
		o.Warnings[i] = line(w, outcomeName)
	}
	o.Output = strings.TrimRight(clean(cutTail(clean(o.Output), OutcomeOutput)), " \t\n")
	return o
}

func boundedFailure(c Case) Case {
	name := line(c.Name, outcomeName)
	if name == "" {
		name = "(without a name)"
	}
	status := Failed
	if c.Status == Errored {
		status = Errored
	}
	return Case{
		Suite:     line(c.Suite, outcomeName),
		ClassName: line(c.ClassName, outcomeName),
		Name:      name,
		File:      line(c.File, outcomeName),
		Line:      max(0, min(c.Line, 1<<30)),
		Ordinal:   max(0, min(c.Ordinal, 1<<30)),
		Status:    status,
		Attempts:  max(1, min(c.Attempts, 1<<20)),
		Duration:  max(0, min(c.Duration, 365*24*time.Hour)),
		Message:   clip(clean(c.Message), outcomeMessage),
		Torn:      c.Torn,
	}
}

// boundedCounts keeps the counts from 0 to a billion, and the total their sum.
func boundedCounts(c Counts) Counts {
	const most = 1_000_000_000 / 4
	for _, n := range []*int{&c.Passed, &c.Failed, &c.Errored, &c.Skipped, &c.Flaky} {
		*n = max(0, min(*n, most))
	}
	c.Flaky = min(c.Flaky, c.Passed)
	c.Total = c.Passed + c.Failed + c.Errored + c.Skipped
	return c
}

// Encode gives the bounded outcome as JSON of at most limit bytes. To fit it drops, in this order and only as far as
// needed, the output, the warnings, the failures from the last, and what is over 200 bytes of the message. limit is at
// least 1 KiB.
func (o Outcome) Encode(limit int) []byte {
	o = o.Bounded()
	for {
		data, err := marshal(o)
		if err != nil { // a year over 9999, the only value that JSON cannot hold
			o.Started, o.Ended = time.Time{}, time.Time{}
			continue
		}
		switch {
		case len(data) <= limit:
			return data
		case o.Output != "":
			o.Output = cutTail(o.Output, len(o.Output)/2)
		case len(o.Warnings) > 0:
			o.Warnings = nil
		case len(o.Failures) > 0:
			o.Failures = o.Failures[:len(o.Failures)-1]
		default:
			o.Message = clip(o.Message, 200)
			if shorter, err := marshal(o); err != nil || len(data) == len(shorter) {
				return data
			}
		}
	}
}

// marshal writes < and & as they are: no browser reads it, and escaped they take six times the room.
func marshal(o Outcome) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(o)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// DecodeOutcome reads what Encode wrote, strictly: one JSON object of at most OutcomeBytes with known fields and a known
// reason. The result is bounded. The error is for the sender; its text is one short line, whatever the input has in it.
func DecodeOutcome(data []byte) (Outcome, error) {
	if len(data) > OutcomeBytes {
		return Outcome{}, fmt.Errorf("the outcome has more than %d bytes", OutcomeBytes)
	}
	var o Outcome
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return Outcome{}, fmt.Errorf("the outcome cannot be decoded: %s", line(err.Error(), 200)) // it names unknown fields
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Outcome{}, errors.New("the outcome is followed by something else")
	}
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) { // null is none
		return Outcome{}, errors.New("the outcome is no JSON object")
	}
	if _, known := outcomeReasons[o.Reason]; !known {
		return Outcome{}, fmt.Errorf("the outcome's reason %.40q is not known", o.Reason)
	}
	if o.ExitCode < 0 || o.ExitCode > 255 {
		return Outcome{}, fmt.Errorf("the outcome's exit code %d is not from 0 to 255", o.ExitCode)
	}
	return o.Bounded(), nil
}
