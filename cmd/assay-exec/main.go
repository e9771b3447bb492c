// Command assay-exec runs a suite's command inside its test pod.
//
//	assay-exec run [flags] -- COMMAND [ARGS]
//	assay-exec install DIR
//
// run fetches the content of the suite from the gateway, runs the command in its working folder, passes its output on,
// keeps the timeout, reads the report that the command leaves behind, and tells the gateway the outcome. install copies
// the program into a folder, for pods that get it from an init container.
//
// Its exit code is the command's. Where the command's says too little it is one of its own, so that a pod succeeds only
// when its suite passed: see exit.go.
//
// It is static, runs in any image as any user, and is not trusted further than the suite: both share a container.
package main

import (
	"fmt"
	"os"
)

func main() {
	os.Exit(do(os.Args[1:]))
}

func do(args []string) int {
	if len(args) == 0 {
		return usage("name a sub-command")
	}
	switch args[0] {
	case "run":
		config, err := parse(args[1:], os.Environ())
		if err != nil {
			return usage(err.Error())
		}
		return run(config)
	case "install":
		if len(args) != 2 {
			return usage("install takes one folder")
		}
		if err := install(args[1]); err != nil {
			say("%v", err)
			return 1
		}
		return 0
	}
	return usage(fmt.Sprintf("unknown sub-command %q", args[0]))
}

func usage(problem string) int {
	say("%s\nusage: assay-exec run [flags] -- COMMAND [ARGS]\n       assay-exec install DIR", problem)
	return exitUsage
}

// say writes to the pod's log, beside the command's own output.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "assay-exec: "+format+"\n", args...)
}
