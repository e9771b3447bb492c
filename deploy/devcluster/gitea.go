package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/deploy/devcluster/internal/binaries"
	"github.com/assay-dev/assay/deploy/devcluster/internal/githost"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

func giteaCommand() *cobra.Command {
	command := &cobra.Command{Use: "gitea", Short: "The Git host beside the clusters"}
	up := &cobra.Command{Use: "up", Short: "Start Gitea and print its URL; a running one is left alone", Args: cobra.NoArgs}
	pages := up.Flags().Bool("pages", false, "build Gitea's style sheets and scripts with npm, for people who look at its pages")
	up.RunE = func(command *cobra.Command, _ []string) error { return giteaUp(command.Context(), *pages) }
	command.AddCommand(
		up,
		&cobra.Command{
			Use: "down", Short: "End Gitea and delete its data", Args: cobra.NoArgs,
			RunE: func(command *cobra.Command, _ []string) error { return giteaDown(command.Context()) },
		},
		&cobra.Command{
			Use: "env", Short: "Print GITEA_URL, GITEA_USER, GITEA_PASSWORD, GITEA_TOKEN and the SSH settings for eval", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return giteaEnv() },
		},
	)
	return command
}

func giteaUp(ctx context.Context, withPages bool) error {
	if err := requireRoot(); err != nil {
		return err
	}
	folders, err := state.FromEnvironment()
	if err != nil {
		return err
	}
	if err := binaries.EnsurePackages(ctx, os.Stderr, binaries.ForGitea...); err != nil {
		return err
	}
	b, err := builder(folders)
	if err != nil {
		return err
	}
	built, err := b.Ensure(ctx, binaries.Gitea)
	if err != nil {
		return err
	}
	pages, cached := b.GiteaPages()
	if withPages {
		if pages, err = b.EnsureGiteaPages(ctx); err != nil {
			return err
		}
	} else if !cached {
		pages = ""
	}
	unlock, err := folders.Lock("gitea")
	if err != nil {
		return err
	}
	defer unlock()
	err = folders.Update(func(registry *state.Registry) error {
		registry.Gitea = true
		return folders.Prepare(ctx, registry)
	})
	if err != nil {
		return err
	}
	credentials, err := githost.New(folders).Up(ctx, built, pages)
	if err != nil {
		return err
	}
	fmt.Println(credentials.URL)
	return nil
}

func giteaDown(ctx context.Context) error {
	if err := requireRoot(); err != nil {
		return err
	}
	folders, err := state.FromEnvironment()
	if err != nil {
		return err
	}
	unlock, err := folders.Lock("gitea")
	if err != nil {
		return err
	}
	defer unlock()
	if err := githost.New(folders).Down(ctx); err != nil {
		return err
	}
	return folders.Update(func(registry *state.Registry) error {
		registry.Gitea = false
		return folders.Release(ctx, registry)
	})
}

func giteaEnv() error {
	folders, err := state.FromEnvironment()
	if err != nil {
		return err
	}
	credentials, err := githost.New(folders).Credentials()
	if err != nil {
		return err
	}
	for _, variable := range [][2]string{
		{"GITEA_URL", credentials.URL}, {"GITEA_USER", credentials.User}, {"GITEA_PASSWORD", credentials.Password},
		{"GITEA_TOKEN", credentials.Token}, {"GITEA_SSH_URL", credentials.SSHURL}, {"GITEA_SSH_KNOWN_HOSTS", credentials.KnownHosts},
	} {
		fmt.Printf("export %s='%s'\n", variable[0], strings.ReplaceAll(variable[1], "'", `'\''`))
	}
	return nil
}
