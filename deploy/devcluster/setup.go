package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/deploy/devcluster/internal/binaries"
	"github.com/assay-dev/assay/deploy/devcluster/internal/cluster"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

// envSource names the folder deploy/devcluster, for an executable that was built with -trimpath or moved elsewhere.
const envSource = "ASSAY_DEVCLUSTER_SOURCE"

const defaultName = "assay"

// nameFlag adds --name.
func nameFlag(command *cobra.Command) *string {
	return command.Flags().String("name", defaultName, "name of the cluster")
}

// builder builds into the cache and reports on stderr, so that stdout holds only answers.
func builder(folders state.Folders) (binaries.Builder, error) {
	source := os.Getenv(envSource)
	if source == "" {
		_, file, _, _ := runtime.Caller(0)
		source = filepath.Dir(file)
	}
	if _, err := os.Stat(filepath.Join(source, "kubernetes", "go.mod")); err != nil {
		return binaries.Builder{}, fmt.Errorf("devcluster's source is not in %q: set %s to the folder deploy/devcluster", source, envSource)
	}
	return binaries.Builder{Source: source, Cache: folders.Cache, Out: os.Stderr}, nil
}

// requireRoot is for the commands that change the machine.
func requireRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("this needs root: it makes network namespaces, mounts and cgroups")
	}
	return nil
}

// existing finds a cluster that is up, or was.
func existing(folders state.Folders, name string) (cluster.Cluster, error) {
	registry, err := folders.Read()
	if err != nil {
		return cluster.Cluster{}, err
	}
	index, known := registry.Clusters[name]
	if !known {
		return cluster.Cluster{}, fmt.Errorf("no cluster %q: run devcluster up --name %s", name, name)
	}
	return cluster.New(folders, name, index), nil
}
