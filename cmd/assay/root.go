package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// subcommands is the table of what assay can do, in the order of the help.
var subcommands = []func() *cobra.Command{
	newValidateCommand,
	newRenderCommand,
	newPlanCommand,
	newDiffCommand,
	newRunCommand,
	newDriftCommand,
	newControllerCommand,
	newVersionCommand,
	newExitCodesTopic,
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "assay",
		Short: "GitOps for tests",
		Long: `Assay runs the test suites that a Git repository defines inside the clusters that
they are about, and answers on the commit and the pull request.

validate, render, plan and diff work offline on a working copy and say what the
controller would; run asks the controller of a cluster for a run and follows it; drift says
where a cluster is not as in Git.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	for _, subcommand := range subcommands {
		root.AddCommand(subcommand())
	}
	return root
}

// execute runs a command line and gives its exit code. Nothing else of the command line
// writes to the outside but what it is given here.
func execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	noticeStart(root, &started)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !started { // cobra's own: flags, arguments and names that do not exist
		err = &usageError{err}
	}
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(stderr, "%s: %s\nSee '%s --help'.\n", command.CommandPath(), clean(err.Error()), command.CommandPath())
		return exitUsage
	}
	printProblems(stderr, err)
	return exitCode(err)
}

// noticeStart makes every command say when it starts, which tells the errors of the command
// from those of its command line.
func noticeStart(command *cobra.Command, started *bool) {
	if run := command.RunE; run != nil {
		command.RunE = func(c *cobra.Command, args []string) error {
			*started = true
			return run(c, args)
		}
	}
	for _, child := range command.Commands() {
		noticeStart(child, started)
	}
}
