package report

import "time"

// Status is the outcome of one case.
type Status string

const (
	// Passed says that the case ran and held, be it after a retry (see Case.Flaky).
	Passed Status = "passed"
	// Failed says that the case ran and an assertion did not hold.
	Failed Status = "failed"
	// Errored says that the case could not be judged: it crashed, never ended, did not compile, or its set-up broke.
	// It counts against the run like Failed.
	Errored Status = "errored"
	// Skipped says that the case did not run, or that its failure was expected (TAP TODO, pytest xfail).
	Skipped Status = "skipped"
)

// Bad tells whether the status counts against the run.
func (s Status) Bad() bool { return s == Failed || s == Errored }

// Case is the outcome of one test. Suite, ClassName, Name, File and Ordinal together identify it within a report.
// Texts are cut to the Limits they were parsed with.
type Case struct {
	// Suite is the tool's group: the JUnit suites joined with " > ", the Go package, the TAP subtests joined with
	// " > ", "checks" or "thresholds" for k6. May be empty.
	Suite string `json:"suite,omitempty"`
	// ClassName is the JUnit classname (the suite where the file has none), the k6 group or metric; else empty.
	ClassName string `json:"className,omitempty"`
	// Name is never empty.
	Name string `json:"name"`
	// File is where the tool says that the test is written: a path of the tool's machine, for display only.
	File string `json:"file,omitempty"`
	// Line in File, from 1; 0 is unknown.
	Line int `json:"line,omitempty"`
	// Ordinal numbers, from 1 and in report order, the cases that share Suite, ClassName, Name and File; 0 for a
	// case that shares them with none.
	Ordinal int `json:"ordinal,omitempty"`

	Status Status `json:"status"`
	// Group says that the case only sums up other cases of the report (a Go test with subtests, a TAP subtest). It
	// is in no count and no list of failures. A parent that failed though none of its children did is no Group.
	Group bool `json:"group,omitempty"`
	// Torn says that the case stands for what the report lacks because it breaks off: no case of it failed, and it is
	// none of the tool's. Stopped leaves it out.
	Torn bool `json:"torn,omitempty"`
	// Flaky says that the case passed after at least one failed attempt.
	Flaky bool `json:"flaky,omitempty"`
	// Attempts says how often the tool ran the case, as far as the report tells; at least 1.
	Attempts int `json:"attempts"`
	// Duration is what the tool measured, from 0 to 365 days; 0 where it told none. Nanoseconds in JSON.
	Duration time.Duration `json:"durationNs,omitempty"`

	// Message says in short why the case failed or was skipped. A bad case always has one.
	Message string `json:"message,omitempty"`
	// Details is the stack trace or diagnosis.
	Details string `json:"details,omitempty"`
	// Stdout and Stderr are the case's own output, where the tool separates it.
	Stdout string `json:"stdout,omitempty"`
	Stderr string `json:"stderr,omitempty"`
}

// Report is what one or more files of a tool tell. The zero value is a report without cases.
type Report struct {
	// Cases in the order of the file.
	Cases []Case `json:"cases,omitempty"`
	// Omitted counts the cases that were over Limits.Cases or Limits.Bytes and are not in Cases.
	Omitted Counts `json:"omitted,omitzero"`
	// Unexplained holds one made-up failed case for each suite whose counters claim more failures than its cases
	// show. Settle puts them among the cases when the tool itself failed.
	Unexplained []Case `json:"unexplained,omitempty"`
	// Truncated says that the file ended, or stopped making sense, before its end: cases may be missing.
	Truncated bool `json:"truncated,omitempty"`
	// Warnings say in one line each what was odd about the file; at most Limits.Warnings.
	Warnings []string `json:"warnings,omitempty"`
}

// Counts are numbers of cases, groups left out. Total is Passed + Failed + Errored + Skipped; Flaky are among Passed.
type Counts struct {
	Total   int `json:"total"`
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Errored int `json:"errored"`
	Skipped int `json:"skipped"`
	Flaky   int `json:"flaky"`
}

// Bad is the number of cases that count against the run.
func (c Counts) Bad() int { return c.Failed + c.Errored }

// Counts counts the cases, the omitted ones included.
func (r Report) Counts() Counts {
	n := r.Omitted
	for i := range r.Cases {
		n.add(&r.Cases[i])
	}
	return n
}

// Failures gives the first limit failed or errored cases in report order, groups left out; limit < 0 gives all.
func (r Report) Failures(limit int) []Case {
	var bad []Case
	for _, c := range r.Cases {
		if limit >= 0 && len(bad) >= limit {
			break
		}
		if c.Status.Bad() && !c.Group {
			bad = append(bad, c)
		}
	}
	return bad
}

// Duration is the sum of the cases' durations, groups left out: the work, not the wall time.
func (r Report) Duration() time.Duration {
	var sum time.Duration
	for _, c := range r.Cases {
		if !c.Group {
			sum += c.Duration
		}
	}
	return sum
}

func (c *Counts) add(one *Case) {
	if one.Group {
		return
	}
	c.Total++
	switch one.Status {
	case Passed:
		c.Passed++
	case Failed:
		c.Failed++
	case Errored:
		c.Errored++
	case Skipped:
		c.Skipped++
	}
	if one.Flaky {
		c.Flaky++
	}
}

func (c *Counts) merge(o Counts) {
	c.Total += o.Total
	c.Passed += o.Passed
	c.Failed += o.Failed
	c.Errored += o.Errored
	c.Skipped += o.Skipped
	c.Flaky += o.Flaky
}
