package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// completionTime is how long somebody who pressed Tab may have to wait for a cluster.
const completionTime = 2 * time.Second

// completeRepositories completes the argument of assay run with the TestRepositories of the
// namespace. A cluster that does not answer completes nothing.
func (f *clusterFlags) completeRepositories(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, repo := range f.repositories(command.Context()) {
		names = append(names, repo.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeEnvironments completes the flag --environment with those of the TestRepository that
// was named, or of all in the namespace.
func (f *clusterFlags) completeEnvironments(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, repo := range f.repositories(command.Context()) {
		if len(args) > 0 && repo.Name != args[0] {
			continue
		}
		for _, e := range repo.Spec.Environments {
			names = append(names, e.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (f *clusterFlags) repositories(ctx context.Context) []v1alpha1.TestRepository {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	c, err := f.connect(io.Discard)
	if err != nil {
		return nil
	}
	var list v1alpha1.TestRepositoryList
	if err := c.List(ctx, &list, client.InNamespace(c.namespace)); err != nil {
		return nil
	}
	return list.Items
}
