package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/runner/report"
)

func largeOutcome() report.Outcome {
	o := report.Outcome{ExitCode: 1, Message: strings.Repeat("<é\n", 5000), Started: time.Unix(1, 5), Ended: time.Unix(2, 0),
		Output: strings.Repeat("\x1b[31mred\x1b[0m \x00 ü\n", 9000)}
	for range 50 {
		o.Failures = append(o.Failures, report.Case{Name: strings.Repeat("n\"", 3000), Message: strings.Repeat("m\x01", 9000), Details: "d", Stdout: "s"})
		o.Warnings = append(o.Warnings, strings.Repeat("w", 9000))
	}
	o.Counts = report.Counts{Total: 7, Passed: -3, Failed: 2, Flaky: 9}
	return o
}

func TestOutcomeFitsWhereItTravels(t *testing.T) {
	for _, limit := range []int{report.OutcomeBytes, report.TerminationBytes, 1 << 10} {
		data := largeOutcome().Encode(limit)
		if len(data) > limit {
			t.Errorf("%d bytes in %d", len(data), limit)
		}
		o, err := report.DecodeOutcome(data)
		if err != nil {
			t.Fatalf("limit %d: %v", limit, err)
		}
		if want := (report.Counts{Total: 2, Failed: 2}); o.ExitCode != 1 || o.Counts != want {
			t.Errorf("limit %d: exit code %d, counts %+v", limit, o.ExitCode, o.Counts)
		}
		if diff := cmp.Diff(o, o.Bounded()); diff != "" {
			t.Errorf("limit %d: bounding twice changes it: %s", limit, diff)
		}
	}
}

func TestOutcomeIsBounded(t *testing.T) {
	o := largeOutcome().Bounded()
	if len(o.Failures) != report.OutcomeFailures || len(o.Warnings) != 20 || len(o.Message) > 1024 || len(o.Output) > report.OutcomeOutput {
		t.Errorf("%d failures, %d warnings, message of %d, output of %d", len(o.Failures), len(o.Warnings), len(o.Message), len(o.Output))
	}
	for _, c := range o.Failures {
		if len(c.Name) > 512 || len(c.Message) > 1024 || c.Details != "" || c.Stdout != "" || !c.Status.Bad() {
			t.Errorf("case %+v", c)
		}
	}
	if strings.ContainsAny(o.Message, "\n\x1b") || strings.ContainsAny(o.Output, "\x00\x1b") {
		t.Error("control characters")
	}
}

// TestStoppedLeavesOutWhatIsTorn: only cases that the tool itself told of stay.
func TestStoppedLeavesOutWhatIsTorn(t *testing.T) {
	for format, text := range map[report.Format]string{
		report.TAP: "TAP version 14\n1..4\nok 1 - a\nnot ok 2 - b\n",
		report.GoTestJSON: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"run","Package":"p","Test":"TestC"}
`,
	} {
		r, err := report.Parse(format, strings.NewReader(text), report.Limits{})
		if err != nil || !r.Truncated || r.Counts().Bad() != 2 {
			t.Fatalf("%s: %v, %+v", format, err, r)
		}
		if got, want := report.Stopped(r).Counts(), (report.Counts{Total: 2, Passed: 1, Failed: 1}); got != want {
			t.Errorf("%s: %+v, want %+v", format, got, want)
		}
		if r.Counts().Bad() != 2 {
			t.Errorf("%s: the given report changed", format)
		}
	}
}

func TestDecodeOutcomeIsStrict(t *testing.T) {
	good := string(report.Outcome{ExitCode: 3, Reason: report.ReasonTimedOut, Message: "m"}.Encode(report.OutcomeBytes))
	for name, data := range map[string]string{
		"an unknown field":        `{"exitCode":0,"verdict":"passed"}`,
		"a long unknown field":    `{"` + strings.Repeat("x", 5000) + `":0}`,
		"an unknown reason":       `{"exitCode":0,"reason":"Passed"}`,
		"an exit code beyond":     `{"exitCode":256}`,
		"a negative exit code":    `{"exitCode":-1}`,
		"something behind it":     good + good,
		"a type that is not fit":  `{"exitCode":"0"}`,
		"a cut off outcome":       good[:len(good)-2],
		"nothing":                 "",
		"more than the limit":     `{"output":"` + strings.Repeat("x", report.OutcomeBytes) + `"}`,
		"a list":                  `[]`,
		"a time that is not one":  `{"started":"yesterday"}`,
		"a duration that is text": `{"failures":[{"name":"a","durationNs":"1s"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			o, err := report.DecodeOutcome([]byte(data))
			if err == nil {
				t.Fatalf("accepted as %+v", o)
			}
			checkLine(t, err)
		})
	}
	if _, err := report.DecodeOutcome([]byte(good)); err != nil {
		t.Error(err)
	}
}

// TestWhatJSONEscapesFitsToo: whatever the message is made of, the smallest outcome has room for it.
func TestWhatJSONEscapesFitsToo(t *testing.T) {
	for _, text := range []string{"<", "&", `"`, `\\`, "\u2028", "é", "\u007f"} {
		o := report.Outcome{ExitCode: 1, Message: strings.Repeat(text, 1<<10)}
		if sent := o.Encode(1 << 10); len(sent) > 1<<10 {
			t.Errorf("with %q it has %d bytes", text, len(sent))
		}
	}
}

// FuzzDecodeOutcome: what is accepted of a test pod is bounded, and stays what it is on its way
// as far as it fits.
func FuzzDecodeOutcome(f *testing.F) {
	f.Add(largeOutcome().Encode(1 << 10))
	f.Add([]byte(`{"exitCode":1,"failures":[{"name":"","status":"x","attempts":-1}],"started":"2026-01-01T00:00:00+05:00"}`))
	f.Add([]byte(`{"exitCode":0,"reason":"TimedOut","message":"a\u001b[31m\u0000\n<","counts":{"total":-1,"passed":9e9,"flaky":3},"warnings":["","w"],"output":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := report.DecodeOutcome(data)
		if err != nil {
			checkLine(t, err)
			return
		}
		if diff := cmp.Diff(o, o.Bounded()); diff != "" {
			t.Errorf("it is not bounded: %s", diff)
		}
		for _, limit := range []int{report.OutcomeBytes, 1 << 10} {
			sent := o.Encode(limit)
			received, err := report.DecodeOutcome(sent)
			if err != nil || len(sent) > limit {
				t.Fatalf("%d bytes of %d, %v: %+v", len(sent), limit, err, o)
			}
			if o.ExitCode != received.ExitCode || o.Reason != received.Reason || o.Counts != received.Counts {
				t.Errorf("the verdict changes on its way: %+v, %+v", o, received)
			}
			if whole := limit == report.OutcomeBytes && len(data) < limit/8; whole && writable(o.Started) && writable(o.Ended) {
				if diff := cmp.Diff(o, received); diff != "" {
					t.Errorf("what fits is lost on its way: %s", diff)
				}
			}
			if again := received.Encode(limit); string(again) != string(sent) {
				t.Errorf("the second time it is sent as %s, first as %s", again, sent)
			}
		}
	})
}

func checkLine(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); strings.ContainsAny(text, "\n\r\x00\x1b") || len(text) > 300 {
		t.Errorf("not one short line: %.500q", text)
	}
}

// writable says whether JSON surely has a way to write the time.
func writable(at time.Time) bool { return at.Year() > 0 && at.Year() < 9999 }
