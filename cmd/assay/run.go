package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// runOptions are the flags of assay run.
type runOptions struct {
	cluster             clusterFlags
	environment         string
	commit, branch, key string
	suites              []string
	wait                bool
	timeout             time.Duration
}

// errTimeUp is the end of --timeout.
var errTimeUp = errors.New("the time was up")

func newRunCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "run REPOSITORY --environment NAME",
		Short: "Run suites in a cluster and follow them",
		Long: `Creates a TestRun for a TestRepository in the cluster of the kubeconfig, and follows it to its
end: progress on the standard error, the result with every failure on the standard output.
Every suite that is not suspended runs, or those that --suite names. Where the commit has a run for
a push or a pull request, its verdict is renewed: that on the commit status and in the comment.

Without --commit it is the newest commit of the branch that the controller has seen. With
--wait=false, or when you interrupt it, the run goes on without being followed.

The run is named for repository, environment, commit, branch and --request-key: asked for
twice with one key, it exists once.`,
		Example: `  assay run shop --environment staging
  assay run shop -n shop -e prod --suite checkout-load --timeout 20m
  assay run shop -e staging --commit "$GIT_COMMIT" --request-key "$BUILD_ID" --output json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one REPOSITORY, not %d", len(args))
			}
			return nil
		},
	}
	var o runOptions
	o.cluster.add(command)
	flags := command.Flags()
	flags.StringVarP(&o.environment, "environment", "e", "", "`NAME` of the TestEnvironment to run in")
	flags.StringVar(&o.commit, "commit", "", "full `HASH` of the commit to test")
	flags.StringVar(&o.branch, "branch", "", "branch whose newest commit to test (default: the default branch)")
	flags.StringSliceVarP(&o.suites, "suite", "s", nil, "`NAME` of a suite to run; repeatable")
	flags.StringVar(&o.key, "request-key", "", "`KEY` that makes asking again a no-op (default: random)")
	flags.BoolVar(&o.wait, "wait", true, "follow the run to its end")
	flags.DurationVar(&o.timeout, "timeout", 0, "how long to follow it; the run goes on afterwards (default: no limit)")
	command.MarkFlagsMutuallyExclusive("commit", "branch")
	if err := errors.Join(command.MarkFlagRequired("environment"), command.RegisterFlagCompletionFunc("environment", o.cluster.completeEnvironments)); err != nil {
		panic(err) // the flag was added above
	}
	command.ValidArgsFunction = o.cluster.completeRepositories
	output := addOutputFlag(command, formatTable)
	command.RunE = func(c *cobra.Command, args []string) error {
		if err := o.complete(); err != nil {
			return err
		}
		return o.run(c.Context(), args[0], output, c.OutOrStdout(), c.ErrOrStderr())
	}
	return command
}

var fullHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// complete checks the flags and fills in what was left out.
func (o *runOptions) complete() error {
	if o.commit != "" && !fullHash.MatchString(o.commit) {
		return usagef("--commit %q is no full commit hash: git rev-parse gives it", o.commit)
	}
	if o.timeout < 0 {
		return usagef("--timeout %s is negative", o.timeout)
	}
	if o.key == "" {
		o.key = rand.Text()
	}
	slices.Sort(o.suites)
	o.suites = slices.Compact(o.suites)
	return nil
}

// run asks for the run, follows it, and prints the result.
func (o *runOptions) run(ctx context.Context, repository string, output *outputFlag, stdout, stderr io.Writer) error {
	c, err := o.cluster.connect(stderr)
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errTimeUp)
		defer cancel()
	}
	run, created, err := o.request(ctx, c, repository)
	if err != nil {
		return classify(err)
	}
	if !created {
		fmt.Fprintf(stderr, "%s was asked for before with this key\n", run.Name)
	}
	if !o.wait {
		return output.print(stdout, withoutManagedFields(run), func(out io.Writer) { row(out, "testrun/"+run.Name, run.Namespace) })
	}
	progress := newProgress(stderr)
	last, err := follow(ctx, c, run, progress)
	progress.end()
	if err != nil {
		return stopped(ctx, run, err)
	}
	if err := output.print(stdout, withoutManagedFields(last), func(out io.Writer) { resultTable(out, last) }); err != nil {
		return err
	}
	// The result is there whether or not this can be found out.
	if text, err := renewed(ctx, c, last); err == nil && text != "" {
		fmt.Fprintln(stderr, clean(text))
	}
	if last.Status.State != v1alpha1.StatePassed {
		return errNotPassed
	}
	return nil
}

// stopped explains why the run is not followed any more.
func stopped(ctx context.Context, run *v1alpha1.TestRun, err error) error {
	if ctx.Err() == nil {
		return classify(err)
	}
	why := "interrupted"
	if errors.Is(context.Cause(ctx), errTimeUp) {
		why = errTimeUp.Error()
	}
	return fmt.Errorf(`%s; the run goes on: to look at it, kubectl get testrun -n %s %s; to stop it, kubectl patch testrun -n %[2]s %[3]s --type merge -p '{"spec":{"cancel":true}}'`,
		why, run.Namespace, run.Name)
}

// withoutManagedFields gives the run as kubectl shows it.
func withoutManagedFields(run *v1alpha1.TestRun) *v1alpha1.TestRun {
	run = run.DeepCopy()
	run.ManagedFields = nil
	run.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.TestRunKind))
	return run
}
