// Command devcluster brings up a real Kubernetes and a real Gitea on one Debian machine, as root and without Docker.
// See README.md for what each command does.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:           "devcluster",
		Short:         "A real Kubernetes and a real Gitea on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(upCommand(), downCommand(), statusCommand(), kubeconfigCommand(), loadCommand(),
		giteaCommand(), imageCommand(), buildCommand(), assetsCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		stop()
		os.Exit(1)
	}
}
