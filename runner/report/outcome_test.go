package report_test

import (
	"encoding/json"
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

func TestDecodeOutcomeIsStrict(t *testing.T) {
	good := string(report.Outcome{ExitCode: 3, Reason: report.ReasonTimedOut, Message: "m"}.Encode(report.OutcomeBytes))
	for name, data := range map[string]string{
		"an unknown field":        `{"exitCode":0,"verdict":"passed"}`,
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
			if o, err := report.DecodeOutcome([]byte(data)); err == nil {
				t.Errorf("accepted as %+v", o)
			}
		})
	}
	if _, err := report.DecodeOutcome([]byte(good)); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeOutcome(f *testing.F) {
	f.Add(largeOutcome().Encode(report.TerminationBytes))
	f.Add([]byte(`{"exitCode":1,"failures":[{"name":"","status":"x","attempts":-1}],"started":"2026-01-01T00:00:00+05:00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := report.DecodeOutcome(data)
		if err != nil {
			return
		}
		again, err := report.DecodeOutcome(o.Encode(report.OutcomeBytes))
		if err != nil {
			t.Fatalf("%v: %+v", err, o)
		}
		if size := len(o.Encode(report.OutcomeBytes)); size > report.OutcomeBytes {
			t.Fatalf("%d bytes", size)
		}
		a, _ := json.Marshal(o)
		b, _ := json.Marshal(again)
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Fatal(diff)
		}
	})
}
