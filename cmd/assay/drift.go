package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// driftOptions are the flags of assay drift.
type driftOptions struct {
	cluster      clusterFlags
	environments []string
	exitCode     bool
}

// repositoryDrift is what assay drift prints of a TestRepository.
type repositoryDrift struct {
	Repository string                 `json:"repository"`
	Namespace  string                 `json:"namespace"`
	Policy     v1alpha1.CatalogPolicy `json:"policy"`
	Suspended  bool                   `json:"suspended,omitempty"`
	// Catalogs as the status has them: those of the default branch first.
	Catalogs []catalogDrift `json:"catalogs"`
}

// catalogDrift is how the catalog of one branch stands in one environment.
type catalogDrift struct {
	Environment string `json:"environment"`
	Branch      string `json:"branch"`
	// Head is the commit that the controller last saw.
	Head    string                     `json:"head"`
	Cluster clusterDrift               `json:"cluster"`
	Apart   *v1alpha1.EnvironmentApart `json:"environments,omitempty"`
	Passed  []suitePassed              `json:"passed"`
}

// clusterDrift is the cluster against Git.
type clusterDrift struct {
	// Commit whose catalog is shown, and how many suites it has.
	Commit  string `json:"commit,omitempty"`
	Suites  int32  `json:"suites"`
	Problem string `json:"problem,omitempty"`
	// Drifted are those that are known by name; Count is of all.
	Count   int32          `json:"driftedCount"`
	Drifted []driftedSuite `json:"drifted,omitempty"`
}

type driftedSuite struct {
	Suite  string `json:"suite"`
	Reason string `json:"reason"`
	Fields string `json:"fields,omitempty"`
}

// suitePassed is where a suite last passed.
type suitePassed struct {
	Suite      string             `json:"suite"`
	Suspended  bool               `json:"suspended,omitempty"`
	LastPassed *v1alpha1.LastPass `json:"lastPassed,omitempty"`
	// Behind is how many heads the branch has had since; AtLeast says that it may be more.
	Behind  int32 `json:"behind"`
	AtLeast bool  `json:"atLeast,omitempty"`
	// Changed says that the definition is another than that which passed.
	Changed bool `json:"changed"`
}

func newDriftCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "drift [REPOSITORY]",
		Short: "Show where a cluster and its environments have drifted apart",
		Long: `Says three things of each environment and watched branch of a TestRepository, or of all in the
namespace, as the controller found them:
  cluster        which TestSuites somebody edited or deleted, so that they are not as in Git
  environments   how the environment differs from the others, on the default branch
  passed         where each suite last passed, how many heads the branch has had since, and
                 whether the suite's definition changed since

The table leaves out the suites that passed at the head. Environments are there to differ and
suites need not run for every commit, so --exit-code is about the first part alone.`,
		Example: `  assay drift
  assay drift shop --namespace team --environment prod
  assay drift shop --exit-code --output json`,
		Args: cobra.MaximumNArgs(1),
	}
	var o driftOptions
	o.cluster.add(command)
	flags := command.Flags()
	flags.StringSliceVarP(&o.environments, "environment", "e", nil, "`NAME` of an environment to look at; repeatable (default: all)")
	flags.BoolVar(&o.exitCode, "exit-code", false, "exit with 1 when the cluster does not show what Git has at the head")
	if err := command.RegisterFlagCompletionFunc("environment", o.cluster.completeEnvironments); err != nil {
		panic(err) // the flag was added above
	}
	command.ValidArgsFunction = o.cluster.completeRepositories
	output := addOutputFlag(command, formatTable)
	command.RunE = func(c *cobra.Command, args []string) error {
		found, err := o.look(c.Context(), args, c.ErrOrStderr())
		if err != nil {
			return classify(err)
		}
		if err := output.print(c.OutOrStdout(), found, func(out io.Writer) { driftText(out, found) }); err != nil {
			return err
		}
		if o.exitCode && slices.ContainsFunc(found, repositoryDrift.drifted) {
			return errDrifted
		}
		return nil
	}
	return command
}

// errDrifted is for a cluster that drifted where the user asked for an exit code.
var errDrifted = errors.New("the cluster has drifted")

func (r repositoryDrift) drifted() bool {
	return slices.ContainsFunc(r.Catalogs, func(c catalogDrift) bool {
		return c.Cluster.Count > 0 || c.Cluster.Problem != "" || c.Cluster.Commit != c.Head
	})
}

// look reads the cluster.
func (o *driftOptions) look(ctx context.Context, args []string, warnings io.Writer) ([]repositoryDrift, error) {
	c, err := o.cluster.connect(warnings)
	if err != nil {
		return nil, err
	}
	repos, err := c.testRepositories(ctx, args)
	if err != nil {
		return nil, err
	}
	for _, e := range o.environments {
		if !slices.ContainsFunc(repos, func(r v1alpha1.TestRepository) bool { _, ok := r.OverlayFor(e); return ok }) {
			return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name one of its environments", "no TestRepository that is looked at lists the environment %q", e)
		}
	}
	var found []repositoryDrift
	for i := range repos {
		repo := &repos[i]
		objects, err := c.testSuites(ctx, repo)
		if err != nil {
			return nil, err
		}
		r := repositoryDrift{Repository: repo.Name, Namespace: repo.Namespace, Policy: repo.CatalogPolicy(), Suspended: repo.Spec.Suspend, Catalogs: []catalogDrift{}}
		for _, entry := range repo.Status.Catalogs {
			if len(o.environments) == 0 || slices.Contains(o.environments, entry.Environment) {
				r.Catalogs = append(r.Catalogs, driftOf(entry, objects))
			}
		}
		found = append(found, r)
	}
	return found, nil
}

// testRepositories gives the one that is named, or all of the namespace.
func (c *cluster) testRepositories(ctx context.Context, args []string) ([]v1alpha1.TestRepository, error) {
	if len(args) == 1 {
		var repo v1alpha1.TestRepository
		key := types.NamespacedName{Namespace: c.namespace, Name: args[0]}
		if err := c.Get(ctx, key, &repo); apierrors.IsNotFound(err) {
			return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name another, or its namespace with --namespace", "there is no TestRepository %q", key)
		} else if err != nil {
			return nil, err
		}
		return []v1alpha1.TestRepository{repo}, nil
	}
	var list v1alpha1.TestRepositoryList
	if err := c.List(ctx, &list, client.InNamespace(c.namespace)); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name another with --namespace", "there is no TestRepository in the namespace %q", c.namespace)
	}
	return list.Items, nil
}

// testSuites gives the objects that show the catalogs of a repository, sorted by suite.
func (c *cluster) testSuites(ctx context.Context, repo *v1alpha1.TestRepository) ([]v1alpha1.TestSuite, error) {
	const page = 500
	var all []v1alpha1.TestSuite
	for list := (&v1alpha1.TestSuiteList{}); ; {
		if err := c.List(ctx, list, client.InNamespace(repo.Namespace), client.MatchingLabels{v1alpha1.RepositoryLabel: repo.Name},
			client.Limit(page), client.Continue(list.Continue)); err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if list.Continue == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b v1alpha1.TestSuite) int {
		return strings.Compare(a.Labels[v1alpha1.SuiteLabel], b.Labels[v1alpha1.SuiteLabel])
	})
	return all, nil
}

// driftOf puts together what stands on the repository and on its suites.
func driftOf(entry v1alpha1.CatalogStatus, objects []v1alpha1.TestSuite) catalogDrift {
	d := catalogDrift{Environment: entry.Environment, Branch: entry.Branch, Apart: entry.Apart, Passed: []suitePassed{},
		Cluster: clusterDrift{Commit: entry.Commit, Suites: entry.Suites, Problem: entry.Problem}}
	if len(entry.Heads) > 0 {
		d.Head = entry.Heads[0]
	}
	there := map[string]bool{}
	for i := range objects {
		s := &objects[i]
		if s.Labels[v1alpha1.EnvironmentLabel] != entry.Environment || s.Annotations[v1alpha1.BranchAnnotation] != entry.Branch {
			continue
		}
		name := s.Labels[v1alpha1.SuiteLabel]
		there[name] = true
		if c := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.DriftedCondition); c != nil {
			d.Cluster.Drifted = append(d.Cluster.Drifted, driftedSuite{name, c.Reason, c.Message})
		}
		d.Passed = append(d.Passed, passedOf(name, s, entry.Heads))
	}
	if entry.Drifted != nil {
		d.Cluster.Count = entry.Drifted.Count
		for _, name := range entry.Drifted.Names {
			if !there[name] {
				d.Cluster.Drifted = append(d.Cluster.Drifted, driftedSuite{Suite: name, Reason: v1alpha1.DeletedReason})
			}
		}
	}
	d.Cluster.Count = max(d.Cluster.Count, int32(len(d.Cluster.Drifted)))
	slices.SortFunc(d.Cluster.Drifted, func(a, b driftedSuite) int { return strings.Compare(a.Suite, b.Suite) })
	return d
}

func passedOf(name string, s *v1alpha1.TestSuite, heads []string) suitePassed {
	p := suitePassed{Suite: name, Suspended: s.Spec.Suspend, LastPassed: s.Status.LastPassed}
	if pass := p.LastPassed; pass != nil {
		p.Behind = runner.Behind(pass, heads)
		p.AtLeast = int(p.Behind) == len(heads)
		p.Changed = pass.Digest != "" && pass.Digest != s.Annotations[v1alpha1.DigestAnnotation]
	}
	return p
}
