package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/deploy/devcluster/internal/binaries"
	"github.com/assay-dev/assay/deploy/devcluster/internal/cluster"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

func upCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "up",
		Short: "Bring a cluster up, building what is not cached; a healthy cluster is left alone",
		Args:  cobra.NoArgs,
	}
	name := nameFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		if err := requireRoot(); err != nil {
			return err
		}
		if err := state.CheckName(*name); err != nil {
			return err
		}
		folders, err := state.FromEnvironment()
		if err != nil {
			return err
		}
		ctx, out, started := command.Context(), os.Stderr, time.Now()
		if err := binaries.EnsurePackages(ctx, out, binaries.ForCluster...); err != nil {
			return err
		}
		b, err := builder(folders)
		if err != nil {
			return err
		}
		tools, err := cluster.Build(ctx, b)
		if err != nil {
			return err
		}
		unlock, err := folders.Lock("cluster-" + *name)
		if err != nil {
			return err
		}
		defer unlock()
		var c cluster.Cluster
		err = folders.Update(func(registry *state.Registry) error {
			index, err := registry.Allocate(*name)
			if err != nil {
				return err
			}
			c = cluster.New(folders, *name, index)
			return folders.Prepare(ctx, registry)
		})
		if err != nil {
			return err
		}
		if err := c.Up(ctx, tools, out); err != nil {
			return fmt.Errorf("cluster %q: %w", *name, err)
		}
		fmt.Fprintf(out, "cluster %q is up after %.1f s: export KUBECONFIG=%s\n", *name, time.Since(started).Seconds(), c.Kubeconfig())
		return nil
	}
	return command
}

func downCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "down",
		Short: "Take a cluster down and remove everything that it made on the machine, except cached binaries",
		Args:  cobra.NoArgs,
	}
	name := nameFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		if err := requireRoot(); err != nil {
			return err
		}
		folders, err := state.FromEnvironment()
		if err != nil {
			return err
		}
		c, err := existing(folders, *name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "cluster %q is not up\n", *name)
			return nil
		}
		ctx := command.Context()
		unlock, err := folders.Lock("cluster-" + *name)
		if err != nil {
			return err
		}
		defer unlock()
		if err := c.Down(ctx); err != nil {
			return fmt.Errorf("cluster %q: %w", *name, err)
		}
		return folders.Update(func(registry *state.Registry) error {
			delete(registry.Clusters, *name)
			return folders.Release(ctx, registry)
		})
	}
	return command
}
