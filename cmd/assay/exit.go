package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/api/fault"
)

// The exit codes; exitCodes says what they mean.
const (
	exitOK      = 0
	exitTests   = 1
	exitUser    = 2
	exitUnknown = 3
	exitUsage   = 64
)

// exitCodes is what the help and docs/cli.md say.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "it is well: the catalog is valid, the run passed"},
	{exitTests, "a run ended and did not pass: it failed, could not be carried out, or was cancelled; or\ncatalogs differ, or a cluster is not as in Git, when diff or drift is asked for an exit code"},
	{exitUser, "something that was given is wrong, and the message says where and what to do: a suite, a\nkustomization, an object of the cluster, a credential"},
	{exitUnknown, "it could not be found out: a host did not answer, the time was up, you stopped waiting, or a\nfault of ours"},
	{exitUsage, "the command line is wrong: an unknown flag, a missing argument"},
}

// errNotPassed is for a run that ended otherwise; what there is to say about it has been said.
var errNotPassed = errors.New("the run did not pass")

// wasSaid says whether err only stands for an exit code.
func wasSaid(err error) bool {
	return errors.Is(err, errNotPassed) || errors.Is(err, errDiffers) || errors.Is(err, errDrifted)
}

// usageError is a command line that cannot be carried out.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// exitCode gives the code of an error that is not about usage. Of several problems the user's
// decides, since a transient one beside it would change nothing.
func exitCode(err error) int {
	if wasSaid(err) {
		return exitTests
	}
	for _, f := range fault.All(err) {
		if f.Kind() == fault.User {
			return exitUser
		}
	}
	return exitUnknown
}

// printProblems writes every problem of err on a line of its own: file:line: field: message (remedy).
func printProblems(w io.Writer, err error) {
	if wasSaid(err) {
		return
	}
	for _, f := range fault.All(err) {
		fmt.Fprintln(w, clean(f.Error()))
	}
}

// newExitCodesTopic gives a help topic: a command that cannot be run.
func newExitCodesTopic() *cobra.Command {
	var b strings.Builder
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "%4d  %s\n", e.code, strings.ReplaceAll(e.meaning, "\n", "\n      "))
	}
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long:  strings.TrimRight(b.String(), "\n"),
	}
}
