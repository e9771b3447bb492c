package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// request creates the run that was asked for, or gives the one that was created before with
// the same key.
func (o *runOptions) request(ctx context.Context, c *cluster, repository string) (run *v1alpha1.TestRun, created bool, err error) {
	var repo v1alpha1.TestRepository
	key := client.ObjectKey{Namespace: c.namespace, Name: repository}
	if err := c.Get(ctx, key, &repo); apierrors.IsNotFound(err) {
		return nil, false, fault.New(fault.RepositoryNotFound, fault.Place{}, "kubectl get testrepositories -A lists them", "there is no TestRepository %q: %w", key, err)
	} else if err != nil {
		return nil, false, fmt.Errorf("reading the TestRepository %q: %w", key, err)
	}
	spec, err := o.spec(&repo)
	if err != nil {
		return nil, false, fault.At(err, fault.Place{Repository: key.String()})
	}
	spec.Cause.By = c.user(ctx)
	run = runner.NewRun(&repo, spec, o.key)
	err = c.Create(ctx, run, client.FieldOwner("assay-cli"))
	if apierrors.IsAlreadyExists(err) {
		run, err = existing(ctx, c, run)
		return run, false, err
	}
	if err != nil {
		return nil, false, fmt.Errorf("creating the TestRun %q: %w", run.Name, err)
	}
	return run, true, nil
}

// existing gives the run of the same name, which must be the same run.
func existing(ctx context.Context, c *cluster, asked *v1alpha1.TestRun) (*v1alpha1.TestRun, error) {
	var found v1alpha1.TestRun
	if err := c.Get(ctx, client.ObjectKeyFromObject(asked), &found); err != nil {
		return nil, fmt.Errorf("reading the TestRun %q: %w", asked.Name, err)
	}
	if !slices.Equal(found.Spec.Suites, asked.Spec.Suites) {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "choose another --request-key", "the TestRun %q was asked for with this key, but for other suites", asked.Name)
	}
	found.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.TestRunKind))
	return &found, nil
}

// spec says what to run.
func (o *runOptions) spec(repo *v1alpha1.TestRepository) (v1alpha1.TestRunSpec, error) {
	if _, known := repo.OverlayFor(o.environment); !known {
		var names []string
		for _, e := range repo.Spec.Environments {
			names = append(names, e.Name)
		}
		return v1alpha1.TestRunSpec{}, fault.New(fault.EnvironmentNotFound, fault.Place{Field: "spec.environments"}, "name one of "+strings.Join(names, ", "),
			"the repository does not run in %q", o.environment)
	}
	spec := v1alpha1.TestRunSpec{
		RepositoryRef: v1alpha1.LocalReference{Name: repo.Name},
		Environment:   o.environment,
		Commit:        o.commit,
		Cause:         v1alpha1.Cause{Type: v1alpha1.CauseAPI},
		Suites:        o.suites,
	}
	if o.commit != "" {
		return spec, nil
	}
	var err error
	spec.Branch, spec.Commit, err = o.head(repo)
	return spec, err
}

// head gives the branch to test and the newest commit of it that the controller has seen.
func (o *runOptions) head(repo *v1alpha1.TestRepository) (branch, commit string, err error) {
	branch = o.branch
	if branch == "" {
		branch = repo.Status.DefaultBranch
	}
	var watched []string
	for _, h := range repo.Status.Heads {
		if h.Branch == branch {
			return h.Branch, h.Commit, nil
		}
		watched = append(watched, h.Branch)
	}
	ready := meta.FindStatusCondition(repo.Status.Conditions, v1alpha1.ReadyCondition)
	switch {
	case len(watched) > 0 && branch != "":
		return "", "", fault.New(fault.RefNotFound, fault.Place{Field: "status.heads"}, "name the commit with --commit, or one of "+threeOf(watched),
			"the branch %q is not one that the controller watches", branch)
	case ready != nil && ready.Status == metav1.ConditionFalse:
		return "", "", fault.FromCondition(*ready)
	}
	return "", "", fault.New(fault.RefNotFound, fault.Place{Field: "status.heads"}, "wait until its condition Ready is True, or name the commit with --commit",
		"the controller has not polled the repository yet")
}

// threeOf lists the first three names and the count of the others.
func threeOf(names []string) string {
	if n := len(names) - 3; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), n)
	}
	return strings.Join(names, ", ")
}
