package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// resultTable prints how a run ended: the suites, every failure with what the tool said, the
// end of outputs, and the verdict.
func resultTable(out io.Writer, run *v1alpha1.TestRun) {
	if len(run.Status.Suites) > 0 {
		row(out, "SUITE", "STATE", "CASES", "TIME", "MESSAGE")
	}
	for _, s := range run.Status.Suites {
		row(out, s.Name, string(s.State), casesWord(s.Cases), span(suiteTimes(s)), s.Message)
	}
	for _, s := range run.Status.Suites {
		for _, f := range s.Failures {
			printFailure(out, s.Name, f)
		}
		printOutput(out, s)
	}
	fmt.Fprintf(out, "\n%s\n", clean(stateLine(runState(run))))
}

// printFailure prints a case that failed, its message indented below it.
func printFailure(out io.Writer, suite string, f v1alpha1.CaseFailure) {
	place := ""
	switch {
	case f.File != "" && f.Line > 0:
		place = fmt.Sprintf(" (%s:%d)", f.File, f.Line)
	case f.File != "":
		place = fmt.Sprintf(" (%s)", f.File)
	}
	fmt.Fprintf(out, "\n%s\n", clean(suite+": "+f.Name+place))
	printIndented(out, f.Message)
}

// printOutput prints the end of what a suite printed, where it went wrong without saying why.
func printOutput(out io.Writer, s v1alpha1.SuiteStatus) {
	if strings.TrimSpace(s.Output) != "" {
		fmt.Fprintf(out, "\n%s\n", clean(s.Name+": the end of its output"))
		printIndented(out, s.Output)
	}
}

func printIndented(out io.Writer, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" {
			fmt.Fprintln(out, "    "+clean(strings.ReplaceAll(strings.TrimRight(line, "\r"), "\t", "    ")))
		}
	}
}

// casesWord says how many cases there were, the failed ones first.
func casesWord(c *v1alpha1.CaseCounts) string {
	if c == nil {
		return ""
	}
	if bad := c.Failed + c.Errored; bad > 0 {
		return fmt.Sprintf("%d of %d failed", bad, c.Total)
	}
	return fmt.Sprintf("%d passed", c.Passed)
}

// attemptWord names the attempt when it is not the first.
func attemptWord(s v1alpha1.SuiteStatus) string {
	if n := len(s.Attempts); n > 1 {
		return fmt.Sprintf("attempt %d", n)
	}
	return ""
}

// suiteTimes gives when the first attempt of a suite started and the last one ended; nil
// where it has not.
func suiteTimes(s v1alpha1.SuiteStatus) (start, end *metav1.Time) {
	if len(s.Attempts) == 0 {
		return nil, nil
	}
	start = s.Attempts[0].StartTime
	if s.State.Final() {
		end = s.Attempts[len(s.Attempts)-1].CompletionTime
	}
	return start, end
}

// span says how long something took, to the second.
func span(start, end *metav1.Time) string {
	if start == nil || end == nil {
		return ""
	}
	return end.Sub(start.Time).Round(time.Second).String()
}

// joinWords connects what is not empty.
func joinWords(words ...string) string {
	var some []string
	for _, w := range words {
		if w != "" {
			some = append(some, w)
		}
	}
	return strings.Join(some, "  ")
}
