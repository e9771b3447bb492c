package main

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/deploy/devcluster/internal/cluster"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

func statusCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "status",
		Short: "Say how a cluster is; exit 1 unless it is healthy",
		Args:  cobra.NoArgs,
	}
	name := nameFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		folders, err := state.FromEnvironment()
		if err != nil {
			return err
		}
		c, err := existing(folders, *name)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "cluster\t%s\nserver\t%s\nkubeconfig\t%s\nhost as pods see it\t%s\npods\t%s\nservices\t%s\n",
			c.Name, c.Server(), c.Kubeconfig(), c.Plan.Host(), c.Node.Pods, c.Node.Services)
		for _, component := range c.Components() {
			state := "running"
			if !component.Alive {
				state = "not running, see " + component.Log
			}
			fmt.Fprintf(table, "%s\t%s\n", component.Name, state)
		}
		table.Flush()
		if err := c.Check(command.Context()); err != nil {
			return fmt.Errorf("cluster %q is not healthy: %w", *name, err)
		}
		fmt.Println("healthy")
		return nil
	}
	return command
}

func kubeconfigCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of a cluster's kubeconfig, or with --print its content",
		Args:  cobra.NoArgs,
	}
	name := nameFlag(command)
	content := command.Flags().Bool("print", false, "print the content instead of the path")
	command.RunE = func(*cobra.Command, []string) error {
		folders, err := state.FromEnvironment()
		if err != nil {
			return err
		}
		c, err := existing(folders, *name)
		if err != nil {
			return err
		}
		if !*content {
			fmt.Println(c.Kubeconfig())
			return nil
		}
		text, err := os.ReadFile(c.Kubeconfig())
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(text)
		return err
	}
	return command
}

func loadCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "load IMAGE.tar...",
		Short: "Import docker-archive or OCI tar files into a cluster",
		Args:  cobra.MinimumNArgs(1),
	}
	name := nameFlag(command)
	command.RunE = func(command *cobra.Command, files []string) error {
		folders, err := state.FromEnvironment()
		if err != nil {
			return err
		}
		c, err := existing(folders, *name)
		if err != nil {
			return err
		}
		b, err := builder(folders)
		if err != nil {
			return err
		}
		tools, err := cluster.Build(command.Context(), b)
		if err != nil {
			return err
		}
		for _, file := range files {
			absolute, err := filepath.Abs(file)
			if err != nil {
				return err
			}
			if err := c.Load(command.Context(), tools, absolute); err != nil {
				return err
			}
		}
		return nil
	}
	return command
}
