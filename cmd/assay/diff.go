package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/status"
)

// diffOptions are the flags of assay diff.
type diffOptions struct {
	tests        *pathFlag
	environments *[]string
	base, head   string
	against      string
	repository   string
	cluster      clusterFlags
	exitCode     bool
}

// catalogDiff is what assay diff prints.
type catalogDiff struct {
	// Before and After say what was compared.
	Before string `json:"before"`
	After  string `json:"after"`
	// Environments in the order in which they were given, or sorted.
	Environments []environmentDiff `json:"environments"`
}

// environmentDiff is what differs in one environment. A program reads the difference, people
// the texts of the suites.
type environmentDiff struct {
	Environment string `json:"environment"`
	// Against is the environment that it is compared with, if that is another.
	Against string `json:"against,omitempty"`
	render.Difference
	before, after catalog.Catalog
}

func (e environmentDiff) title() string {
	if e.Against == "" {
		return e.Environment
	}
	return e.Environment + " against " + e.Against
}

func newDiffCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "diff [DIR]",
		Short: "Show what a change does to the catalog of each environment",
		Long: `Renders the catalog of each environment twice and shows which suites are added, removed and
changed. DIR is the root of a working copy. What is compared with the working copy, or with
the commit of --head:
  the commit at which it left --base (their merge base; by default HEAD), offline
  with --against, another environment of the same commit, offline
  with --cluster, the TestSuites in the cluster that were made of a TestRepository

Text is a diff of the rendered YAML. JSON and YAML name the suites and fields that differ, as
status.catalogDiff of a TestRun does. What looks like a secret is masked in all of them.`,
		Example: `  assay diff --base origin/main
  assay diff --base v1.2 --head v1.3 --environment staging --output markdown
  assay diff --environment staging --against prod
  assay diff --cluster shop --namespace team --exit-code`,
		Args: cobra.MaximumNArgs(1),
	}
	o := diffOptions{tests: addPathFlag(command)}
	o.environments = addEnvironmentFlag(command, o.tests, "environment to compare, or NAME=OVERLAY; repeatable (default: every folder below overlays)")
	flags := command.Flags()
	flags.StringVar(&o.base, "base", "HEAD", "`REVISION` to compare with, such as origin/main")
	flags.StringVar(&o.head, "head", "", "`REVISION` to look at (default: the files of the working copy)")
	flags.StringVar(&o.against, "against", "", "environment `NAME`, or NAME=OVERLAY, to compare the one of --environment with")
	flags.StringVar(&o.repository, "cluster", "", "`NAME` of the TestRepository to compare with, in the cluster")
	flags.BoolVar(&o.exitCode, "exit-code", false, "exit with 1 when something differs")
	o.cluster.add(command)
	command.MarkFlagsMutuallyExclusive("base", "against", "cluster")
	for flag, complete := range map[string]cobra.CompletionFunc{"against": completeEnvironments(o.tests), "cluster": o.cluster.completeRepositories} {
		if err := command.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // the flag was added above
		}
	}
	output := addChoiceFlag(command, "output", "o", "how to print the result", formatText, formatText, formatMarkdown, formatJSON, formatYAML)
	command.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWorkingCopy(args, *o.tests)
		if err != nil {
			return err
		}
		defer w.close()
		d, err := o.compare(c.Context(), w, c.ErrOrStderr())
		if err == nil {
			err = d.print(c.OutOrStdout(), output.value)
		}
		if err == nil && o.exitCode && d.differs() {
			return errDiffers
		}
		return err
	}
	return command
}

// compare compares what the flags say. notes is where it says what the user should know.
func (o *diffOptions) compare(ctx context.Context, w *workingCopy, notes io.Writer) (*catalogDiff, error) {
	switch {
	case o.against != "":
		return o.environmentsApart(ctx, w)
	case o.repository != "":
		return o.withCluster(ctx, w, notes)
	}
	return o.revisions(ctx, w, notes)
}

func (d *catalogDiff) add(environment, against string, before, after catalog.Catalog) {
	d.Environments = append(d.Environments, environmentDiff{environment, against, render.Diff(before, after), before, after})
}

func (d *catalogDiff) differs() bool {
	return slices.ContainsFunc(d.Environments, func(e environmentDiff) bool { return !e.Empty() })
}

func (d *catalogDiff) print(w io.Writer, format string) error {
	switch format {
	case formatJSON, formatYAML:
		o := outputFlag(format)
		return o.print(w, d, nil)
	case formatMarkdown:
		var changes []status.Change
		for _, e := range d.Environments {
			changes = append(changes, status.Change{Environment: e.title(), Difference: &e.Difference})
		}
		_, err := io.WriteString(w, cmp.Or(status.Changes(changes), "The catalogs do not differ.")+"\n")
		return err
	}
	return d.text(w, isColourful(w))
}

// errDiffers is for catalogs that differ where the user asked for an exit code.
var errDiffers = errors.New("the catalogs differ")

// choiceFlag is a flag whose value is one of a few words.
type choiceFlag struct {
	value   string
	choices []string
}

func (f *choiceFlag) String() string { return f.value }
func (f *choiceFlag) Type() string   { return "format" }

func (f *choiceFlag) Set(s string) error {
	if !slices.Contains(f.choices, s) {
		return fmt.Errorf("%q is none of %s", s, strings.Join(f.choices, ", "))
	}
	f.value = s
	return nil
}

func addChoiceFlag(command *cobra.Command, name, short, usage, value string, choices ...string) *choiceFlag {
	f := &choiceFlag{value, choices}
	command.Flags().VarP(f, name, short, usage+": "+strings.Join(choices, ", "))
	if err := command.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was added above
	}
	return f
}
