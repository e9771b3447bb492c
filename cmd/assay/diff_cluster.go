package main

import (
	"context"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// withCluster compares what Git says with the TestSuites that the cluster has of it.
func (o *diffOptions) withCluster(ctx context.Context, w *workingCopy, notes io.Writer) (*catalogDiff, error) {
	c, err := o.cluster.connect(notes)
	if err != nil {
		return nil, err
	}
	repo := &v1alpha1.TestRepository{}
	key := types.NamespacedName{Namespace: c.namespace, Name: o.repository}
	if err := c.Get(ctx, key, repo); apierrors.IsNotFound(err) {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name another, or its namespace with --namespace", "there is no TestRepository %q", key)
	} else if err != nil {
		return nil, classify(err)
	}
	w.tests = repo.TestsPath() // the cluster knows where its tests are
	after, err := o.headSide(w)
	if err != nil {
		return nil, err
	}
	refs, err := o.refsOf(repo)
	if err != nil {
		return nil, err
	}
	d := &catalogDiff{Before: "the cluster", After: after.name, Environments: []environmentDiff{}}
	for _, ref := range refs {
		before, err := c.suites(ctx, repo, ref.Name)
		if err != nil {
			return nil, err
		}
		rendered, err := after.render(ctx, ref)
		if err := eitherMissing(nil, err, notes); err != nil {
			return nil, err
		}
		d.add(ref.Name, "", before, withoutMarks(rendered))
	}
	return d, nil
}

// refsOf gives the environments of the TestRepository, those that were asked for if any were.
func (o *diffOptions) refsOf(repo *v1alpha1.TestRepository) ([]v1alpha1.EnvironmentRef, error) {
	asked, err := environmentRefs(*o.environments)
	if err != nil || len(asked) == 0 {
		return repo.Spec.Environments, err
	}
	for i, ref := range asked {
		at := slices.IndexFunc(repo.Spec.Environments, func(r v1alpha1.EnvironmentRef) bool { return r.Name == ref.Name })
		if at < 0 {
			return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name one of its environments", "the TestRepository %q does not list the environment %q", repo.Name, ref.Name)
		}
		if ref.Overlay == "" {
			asked[i] = repo.Spec.Environments[at]
		}
	}
	return asked, nil
}

// suites gives the suites of an environment as the cluster has them of the default branch,
// found and named by their labels.
func (c *cluster) suites(ctx context.Context, repo *v1alpha1.TestRepository, environment string) (catalog.Catalog, error) {
	const page = 500
	var found catalog.Catalog
	labels := client.MatchingLabels{v1alpha1.RepositoryLabel: repo.Name, v1alpha1.EnvironmentLabel: environment}
	for list := (&v1alpha1.TestSuiteList{}); ; {
		if err := c.List(ctx, list, client.InNamespace(repo.Namespace), labels, client.Limit(page), client.Continue(list.Continue)); err != nil {
			return catalog.Catalog{}, classify(err)
		}
		for _, s := range list.Items {
			branch, says := s.Annotations[v1alpha1.BranchAnnotation]
			if says && branch != repo.Status.DefaultBranch {
				continue
			}
			if name := s.Labels[v1alpha1.SuiteLabel]; name != "" {
				s.Name = name
				found.Suites = append(found.Suites, catalog.Suite{TestSuite: s})
			}
		}
		if list.Continue == "" {
			break
		}
	}
	slices.SortFunc(found.Suites, func(a, b catalog.Suite) int { return strings.Compare(a.Name, b.Name) })
	found.Suites = slices.CompactFunc(found.Suites, func(a, b catalog.Suite) bool { return a.Name == b.Name })
	return withoutMarks(found), nil
}

// withoutMarks takes away the labels by which the cluster's objects are found, and with them
// the digests, which cover labels.
func withoutMarks(c catalog.Catalog) catalog.Catalog {
	c.Suites = slices.Clone(c.Suites)
	for i := range c.Suites {
		s := &c.Suites[i]
		s.Digest = ""
		labels := map[string]string{}
		for key, value := range s.Labels {
			if !strings.HasPrefix(key, v1alpha1.GroupVersion.Group+"/") && key != v1alpha1.ManagedByLabel {
				labels[key] = value
			}
		}
		s.Labels = labels
	}
	return c
}
