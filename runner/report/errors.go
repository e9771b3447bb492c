package report

import (
	"strconv"
	"strings"
)

// Problem is the kind of an [Error]; compare with errors.Is.
type Problem string

const (
	// ErrMissing: no file matches. Only ParseFS gives it.
	ErrMissing Problem = "report is missing"
	// ErrEmpty: the file holds no byte but white space.
	ErrEmpty Problem = "report is empty"
	// ErrFormat: the file is not of the format, or is cut off before its first case.
	ErrFormat Problem = "report is not of its format"
	// ErrTooLarge: the file is over Limits.Bytes, or there are more files than ParseFS reads.
	ErrTooLarge Problem = "report is too large"
	// ErrUnreadable: the reader failed; the cause is in Error.Err.
	ErrUnreadable Problem = "report cannot be read"
)

// Error makes a Problem usable with errors.Is.
func (p Problem) Error() string { return string(p) }

// Error says why a file gave no whole report. Unless it is ErrUnreadable, the fault is the user's: of the suite's
// command or of its report settings.
type Error struct {
	Problem Problem
	Format  Format
	// File is the name or pattern; empty where the parser got only a reader.
	File string
	// Line of the file, from 1; 0 where none is to blame.
	Line int
	// Detail says what was found instead.
	Detail string
	// Remedy says what to do.
	Remedy string
	// Err is the reader's error; nil for other problems.
	Err error
}

// Error is one line: problem, format, file and line, detail, remedy.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Problem))
	b.WriteString(" (" + string(e.Format) + ")")
	if e.File != "" {
		b.WriteString(" in " + strconv.Quote(e.File))
	}
	if e.Line > 0 {
		b.WriteString(" at line " + strconv.Itoa(e.Line))
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap gives the Problem and the reader's error.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Problem}
	}
	return []error{e.Problem, e.Err}
}
