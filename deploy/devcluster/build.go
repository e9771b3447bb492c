package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/deploy/devcluster/internal/binaries"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

func buildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Build and cache all binaries, the cluster's and Gitea's, and start nothing",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			folders, err := state.FromEnvironment()
			if err != nil {
				return err
			}
			b, err := builder(folders)
			if err != nil {
				return err
			}
			if err := binaries.EnsurePackages(command.Context(), os.Stderr, binaries.ForGitea...); err != nil {
				return err
			}
			for _, component := range append(append([]binaries.Component{}, binaries.Cluster...), binaries.Gitea) {
				folder, err := b.Ensure(command.Context(), component)
				if err != nil {
					return err
				}
				fmt.Println(folder)
			}
			return nil
		},
	}
}

func assetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "assets",
		Short: "Print a folder with kube-apiserver, etcd and kubectl, for KUBEBUILDER_ASSETS; builds only these",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			folders, err := state.FromEnvironment()
			if err != nil {
				return err
			}
			b, err := builder(folders)
			if err != nil {
				return err
			}
			folder, err := b.Ensure(command.Context(), binaries.Kubernetes)
			if err != nil {
				return err
			}
			fmt.Println(folder)
			return nil
		},
	}
}
