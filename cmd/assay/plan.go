package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/sync/git"
)

// planOptions are the flags of assay plan.
type planOptions struct {
	tests             *pathFlag
	environment       *string
	base, branch      string
	push, pullRequest bool
	policies          *environmentFiles
}

func newPlanCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "plan [DIR] --base REVISION --environment NAME",
		Short: "Say which suites a change concerns and why, offline",
		Long: `Compares the working copy with the commit at which it left REVISION (their merge base) and
plans a run as the controller would: every suite with its reasons to run or to be left out.
Work that is not committed counts; what Git ignores does not. DIR is the root of a working copy.

With the manifest of the environment, the plan says what its policy forbids. Whether an earlier
pass of a hermetic suite is reused is known in the cluster alone.

JSON and YAML are the entries that status.plan of a TestRun would hold.`,
		Example: `  assay plan --base origin/main --environment staging
  assay plan --base HEAD~1 --environment prod --push --branch main`,
		Args: cobra.MaximumNArgs(1),
	}
	var o planOptions
	o.tests = addPathFlag(command)
	o.environment = addOneEnvironmentFlag(command, o.tests)
	o.policies = addEnvironmentFileFlag(command)
	flags := command.Flags()
	flags.StringVar(&o.base, "base", "", "`REVISION` to compare with, such as origin/main")
	flags.BoolVar(&o.pullRequest, "pull-request", false, "plan for a pull request (the default)")
	flags.BoolVar(&o.push, "push", false, "plan for a push")
	flags.StringVar(&o.branch, "branch", "", "branch that is pushed to, or that the pull request wants to go into (default: the branch that --base names)")
	command.MarkFlagsMutuallyExclusive("push", "pull-request")
	if err := command.MarkFlagRequired("base"); err != nil {
		panic(err) // the flag was added above
	}
	output := addOutputFlag(command, formatTable)
	command.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWorkingCopy(args, *o.tests)
		if err != nil {
			return err
		}
		defer w.close()
		in, err := o.gather(c.Context(), w, c.ErrOrStderr())
		if err != nil {
			return err
		}
		plan, err := catalog.Plan(in)
		if err != nil {
			return err
		}
		if plan == nil {
			plan = []v1alpha1.PlannedSuite{} // JSON's empty list, not null
		}
		return output.print(c.OutOrStdout(), plan, func(out io.Writer) { planTable(out, plan) })
	}
	return command
}

// gather gives what the plan depends on. notes is where it says what the user should know.
func (o *planOptions) gather(ctx context.Context, w *workingCopy, notes io.Writer) (catalog.PlanInput, error) {
	refs, err := environmentRefs([]string{*o.environment})
	if err != nil {
		return catalog.PlanInput{}, err
	}
	environments, err := o.policies.read(refs)
	if err != nil {
		return catalog.PlanInput{}, err
	}
	in := catalog.PlanInput{
		Cause: v1alpha1.Cause{Type: v1alpha1.CausePullRequest}, Branch: o.branch, TestsPath: w.tests,
		Environment: environments[refs[0].Name],
	}
	if o.push {
		in.Cause.Type = v1alpha1.CausePush
	}
	if in.Branch == "" {
		in.Branch = branchOf(o.base)
	}
	change, err := openChange(w, w.overlay(refs[0]), o.base)
	if err != nil {
		return catalog.PlanInput{}, err
	}
	unknown, err := catalogs.Gather(ctx, change, &in)
	if err != nil {
		return catalog.PlanInput{}, err
	}
	if in.Branch == "" && namesBranches(in.Head) {
		fmt.Fprintf(notes, "note: %q names no branch, so suites that name branches are left out; say which with --branch\n", o.base)
	}
	if unknown != nil {
		fmt.Fprintf(notes, "note: nothing to compare with: %s\n", clean(fault.Summary(fault.At(unknown, fault.Place{Commit: change.base}))))
	}
	return in, nil
}

// localChange is a working copy and the commit where it left its base.
type localChange struct {
	w       *workingCopy
	overlay string
	local   *git.Local
	base    string
}

var _ catalogs.Change = (*localChange)(nil)

// openChange compares the working copy with its merge base with the revision.
func openChange(w *workingCopy, overlay, revision string) (*localChange, error) {
	local, err := git.OpenLocal(w.root.Name())
	if err != nil {
		return nil, err
	}
	if err := w.mustBeTop(local.Root()); err != nil {
		return nil, err
	}
	with, err := local.Resolve(revision)
	if err != nil {
		return nil, err
	}
	head, err := local.Head()
	if err != nil {
		return nil, err
	}
	base, err := local.MergeBase(with, head)
	return &localChange{w: w, overlay: overlay, local: local, base: base}, err
}

func (c *localChange) Head(ctx context.Context) (catalog.Catalog, error) {
	return render.Render(ctx, c.w.tree, c.overlay, render.Limits{})
}

func (c *localChange) Base(ctx context.Context) (catalog.Catalog, error) {
	tree, err := c.local.Tree(c.base, c.w.tests)
	if err != nil {
		return catalog.Catalog{}, err
	}
	return render.Render(ctx, tree, c.overlay, render.Limits{})
}

func (c *localChange) Paths(context.Context) ([]string, bool, error) {
	paths, err := c.local.ChangedInWorkTree(c.base, "")
	return paths, err == nil, err
}

// mustBeTop refuses a folder inside the working copy: paths that suites name count from the
// root of the repository, and from anywhere else the plan would not be the controller's.
func (w *workingCopy) mustBeTop(top string) error {
	dir, err := filepath.Abs(w.root.Name())
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return err
	}
	below, err := filepath.Rel(top, dir)
	if err != nil || below == "." {
		return err
	}
	return usagef("%q is not the root of its working copy: plan %q with --path %s", w.root.Name(), top, filepath.ToSlash(filepath.Join(below, w.tests)))
}

// remoteBranch is the part of a revision that names a remote or a kind of ref.
var remoteBranch = regexp.MustCompile(`^(refs/heads/|refs/remotes/[^/]+/|origin/|upstream/)`)

// notBranch is a commit hash or the syntax of a revision that is more than a name.
var notBranch = regexp.MustCompile(`^([0-9a-f]{7,64}|@|HEAD|refs/.*)$|[~^:@{]`)

// branchOf gives the branch that a revision names, "" when it names something else.
func branchOf(revision string) string {
	branch := remoteBranch.ReplaceAllString(revision, "")
	if notBranch.MatchString(branch) {
		return ""
	}
	return branch
}

// namesBranches says whether a trigger depends on the branch.
func namesBranches(c catalog.Catalog) bool {
	for _, s := range c.Suites {
		on := s.Spec.On
		if on != nil && (on.PullRequest != nil && len(on.PullRequest.Branches) > 0 || on.Push != nil && len(on.Push.Branches) > 0) {
			return true
		}
	}
	return false
}

func planTable(out io.Writer, plan []v1alpha1.PlannedSuite) {
	row(out, "SUITE", "RUNS", "REASON")
	runs, forbidden := 0, 0
	for _, p := range plan {
		does, reasons := "no", p.Reasons
		switch {
		case p.Violation != "":
			does, reasons = "may not", append([]string{p.Violation}, reasons...)
			forbidden++
		case p.Run:
			does = "yes"
			runs++
		}
		row(out, p.Suite, does, strings.Join(reasons, "; "))
	}
	fmt.Fprintf(out, "\n%d of %d suites would run\n", runs, len(plan))
	if forbidden > 0 {
		fmt.Fprintf(out, "%d would end as Errored: the environment's policy forbids them\n", forbidden)
	}
}
