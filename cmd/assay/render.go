package main

import (
	"cmp"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
)

func newRenderCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "render [DIR] --environment NAME",
		Short: "Print the catalog of an environment, offline",
		Long: `Renders the overlay of an environment as the controller would and prints its suites
with every default and preset filled in. DIR is the root of a working copy.

YAML is a stream of TestSuites, JSON a TestSuiteList.`,
		Example: `  assay render --environment staging
  assay render --environment prod --output table`,
		Args: cobra.MaximumNArgs(1),
	}
	tests := addPathFlag(command)
	environment := addOneEnvironmentFlag(command, tests)
	output := addOutputFlag(command, formatYAML)
	command.RunE = func(c *cobra.Command, args []string) error {
		ref, err := environmentRefs([]string{*environment})
		if err != nil {
			return err
		}
		w, err := openWorkingCopy(args, *tests)
		if err != nil {
			return err
		}
		defer w.close()
		rendered, err := render.Render(c.Context(), w.tree, w.overlay(ref[0]), render.Limits{})
		if err != nil {
			return err
		}
		if *output == formatYAML {
			return printSuites(c.OutOrStdout(), rendered)
		}
		return output.print(c.OutOrStdout(), suiteList(rendered), func(out io.Writer) { suiteTable(out, rendered) })
	}
	return command
}

// addOneEnvironmentFlag gives the command a required flag --environment.
func addOneEnvironmentFlag(command *cobra.Command, tests *pathFlag) *string {
	value := command.Flags().StringP("environment", "e", "", "environment `NAME`, or NAME=OVERLAY when its overlay is not overlays/NAME")
	if err := cmp.Or(
		command.RegisterFlagCompletionFunc("environment", completeEnvironments(tests)),
		command.MarkFlagRequired("environment"),
	); err != nil {
		panic(err) // the flag was added above
	}
	return value
}

func printSuites(w io.Writer, c catalog.Catalog) error {
	for i, s := range suiteList(c).Items {
		data, err := yaml.Marshal(s)
		if err != nil {
			return err
		}
		if i > 0 {
			data = append([]byte("---\n"), data...)
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func suiteList(c catalog.Catalog) v1alpha1.TestSuiteList {
	list := v1alpha1.TestSuiteList{Items: []v1alpha1.TestSuite{}}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.TestSuiteKind + "List"))
	for _, s := range c.Suites {
		s.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.TestSuiteKind))
		list.Items = append(list.Items, s.TestSuite)
	}
	return list
}

func suiteTable(out io.Writer, c catalog.Catalog) {
	row(out, "SUITE", "TOOL", "GATE", "RUNS ON", "IMAGE", "FILE")
	for _, s := range c.Suites {
		row(out, s.Name, s.Spec.Tool, string(s.Spec.Gate), triggers(s), s.Spec.Image, s.File)
	}
}

// triggers says in a few words when a suite runs.
func triggers(s catalog.Suite) string {
	on := s.Spec.On
	if s.Spec.Suspend {
		return "suspended"
	}
	if on == nil {
		return "pull request, push"
	}
	var words []string
	if on.PullRequest != nil {
		words = append(words, "pull request")
	}
	if on.Push != nil {
		words = append(words, "push")
	}
	for _, schedule := range on.Schedule {
		words = append(words, schedule.Cron)
	}
	return strings.Join(words, ", ")
}
