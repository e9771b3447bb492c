// Command assay is the controller and the command line of Assay, GitOps for tests.
//
// Everything that it can do is a sub-command with a file of its own, listed in root.go;
// wire.go puts the parts of the controller together. Results go to the standard output,
// progress and problems to the standard error, and exit.go says what the exit codes mean.
// docs/cli.md is the reference for users.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules name zones, and the image has no data base of its own
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(execute(ctx, newRootCommand(), os.Args[1:], os.Stdout, os.Stderr))
}
