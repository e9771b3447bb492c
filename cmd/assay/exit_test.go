package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/fault"
)

func TestExitCodeOfAnError(t *testing.T) {
	user := fault.New(fault.InvalidCatalog, fault.Place{}, "", "user")
	transient := fault.New(fault.HostUnreachable, fault.Place{}, "", "transient")
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"the user's fault", fmt.Errorf("around: %w", user), exitUser},
		{"a host that does not answer", transient, exitUnknown},
		{"the user's beside a transient one", errors.Join(transient, user), exitUser},
		{"nobody classified it", errors.New("boom"), exitUnknown},
		{"interrupted", context.Canceled, exitUnknown},
		{"a run that did not pass", errNotPassed, exitTests},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := exitCode(c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestEachProblemIsALineThatCannotMoveTheCursor(t *testing.T) {
	var out strings.Builder
	printProblems(&out, errors.Join(
		fault.New(fault.InvalidCatalog, fault.Place{File: "tests/\x1b[2J.yaml", Line: 3, Field: "spec.x"}, "mend it", "two\nlines"),
		errors.New("reversed \u202e text"),
	))
	want := "tests/\uFFFD[2J.yaml:3: spec.x: two lines (mend it)\nreversed \uFFFD text\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestBranchThatARevisionNames(t *testing.T) {
	for revision, want := range map[string]string{
		"main":                     "main",
		"origin/main":              "main",
		"upstream/release/1.0":     "release/1.0",
		"feature/x":                "feature/x",
		"refs/heads/main":          "main",
		"refs/remotes/fork/main":   "main",
		"HEAD":                     "",
		"@":                        "",
		"HEAD~1":                   "",
		"main^":                    "",
		"main@{yesterday}":         "",
		"refs/tags/v1":             "",
		"0123abc":                  "",
		strings.Repeat("0af1", 10): "",
	} {
		if got := branchOf(revision); got != want {
			t.Errorf("%q names %q, want %q", revision, got, want)
		}
	}
}
