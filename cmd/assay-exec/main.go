// Command assay-exec runs a suite inside its pod. It is static and mounted beside the image's
// own tools, as the parent of the suite's command.
//
//	assay-exec run [flags] -- COMMAND [ARG...]
//	assay-exec install DIR
//
// run fetches the content from the gateway, runs the command with a timeout, parses the
// report, and tells the gateway the outcome. The exit code is the command's; 124 when it ran
// too long, 125 when the content did not arrive or the report is not what was promised, 126
// and 127 when the command cannot be run or is not there, as shells have it. install copies
// the program, for clusters that cannot mount an image.
//
// It knows what its flags and the variables ASSAY_… say, which the command does not see, and
// nothing of runs, suites or clusters.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

const exitUsage = 64 // EX_USAGE of sysexits.h

func main() {
	if len(os.Args) < 2 {
		usage("a sub-command is needed")
	}
	switch os.Args[1] {
	case "run":
		os.Exit(runMain(os.Args[2:]))
	case "install":
		if len(os.Args) != 3 {
			usage("install needs a folder")
		}
		if err := install(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "assay-exec:", err)
			os.Exit(1)
		}
	default:
		usage(fmt.Sprintf("there is no sub-command %q", os.Args[1]))
	}
}

func usage(problem string) {
	fmt.Fprintf(os.Stderr, "assay-exec: %s\nusage: assay-exec run [flags] -- COMMAND [ARG...]\n       assay-exec install DIR\n", problem)
	os.Exit(exitUsage)
}

// options are the flags of run.
type options struct {
	workspace, workingDir string
	content               string
	timeout, grace        time.Duration
	reportFormat          report.Format
	reportPath            string
	terminationLog        string
	command               []string
}

func runMain(args []string) int {
	var o options
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&o.workspace, "workspace", "/workspace", "The folder that the content is unpacked into.")
	flags.StringVar(&o.workingDir, "working-dir", ".", "The folder that the command runs in, from the workspace.")
	flags.StringVar(&o.content, "content", "", "The digest of the content. Empty: none is fetched.")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Minute, "How long the command may run.")
	flags.DurationVar(&o.grace, "grace", 30*time.Second, "The time between SIGTERM and SIGKILL.")
	flags.StringVar((*string)(&o.reportFormat), "report-format", "", "The format of the report. Empty: there is none.")
	flags.StringVar(&o.reportPath, "report-path", "-", "Where the report is: a glob, or - for the standard output.")
	flags.StringVar(&o.terminationLog, "termination-log", "/dev/termination-log", "The file that the kubelet reads at the end.")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if o.command = flags.Args(); len(o.command) == 0 {
		usage("run needs a command")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	return run(context.Background(), o, takeSettings(), stop)
}
