package report

import (
	"fmt"
	"io"
)

// Format names how a tool writes its results.
type Format string

// The formats that Parse knows.
const (
	JUnit      Format = "junit"
	TAP        Format = "tap"
	GoTestJSON Format = "go-test-json"
	K6Summary  Format = "k6-summary"
)

// Parser turns one file into a report. It reads to the end or to Limits.Bytes, never panics, and keeps no reference to
// the reader. The error is an *Error; the report beside it holds what was read before. A file that breaks off after
// its first case is no error but Report.Truncated.
type Parser func(io.Reader, Limits) (Report, error)

var formats = []struct {
	format Format
	parse  Parser
}{
	{JUnit, parseJUnit},
	{TAP, parseTAP},
	{GoTestJSON, parseGoTestJSON},
	{K6Summary, parseK6Summary},
}

// Formats lists the formats in a fixed order.
func Formats() []Format {
	list := make([]Format, len(formats))
	for i, f := range formats {
		list[i] = f.format
	}
	return list
}

// Parse reads one file of the format. See Parser for the contract.
func Parse(format Format, r io.Reader, limits Limits) (Report, error) {
	for _, f := range formats {
		if f.format == format {
			return f.parse(r, limits.withDefaults())
		}
	}
	return Report{}, fmt.Errorf("unknown report format %q; use one of %q", format, Formats())
}
