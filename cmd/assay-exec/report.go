package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/runner/report"
)

// readReport parses what the command left, and tells the outcome of it: also of what could be
// read of a broken one.
func readReport(o options, spool *spool, outcome *report.Outcome) error {
	parsed, err := parse(o, spool)
	outcome.Tell(report.Settle(parsed, outcome.ExitCode))
	return err
}

func parse(o options, spool *spool) (report.Report, error) {
	if spool != nil {
		from, err := spool.reader()
		if err != nil {
			return report.Report{}, err
		}
		return report.Parse(o.reportFormat, from, report.Limits{})
	}
	root, pattern := ".", o.reportPath
	if filepath.IsAbs(pattern) {
		root, pattern = "/", strings.TrimPrefix(filepath.Clean(pattern), "/")
	}
	return report.ParseFS(o.reportFormat, os.DirFS(root), filepath.Clean(pattern), report.Limits{})
}

// reportReason tells a report that is not there from one that is not what it should be.
func reportReason(err error) string {
	if errors.Is(err, report.ErrMissing) || errors.Is(err, report.ErrEmpty) {
		return report.ReasonReportMissing
	}
	return report.ReasonReportInvalid
}
