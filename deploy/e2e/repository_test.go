//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"

	"code.gitea.io/sdk/gitea"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EDeletedRepository deletes a TestRepository while a pod of its runs.
func TestE2EDeletedRepository(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "delete", nil)
	repo, main := newRepository(t, "delete", catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
	object, err := tenant.Sync(deadline(t), repo, nil)
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")
	shownSuite(t, tenant, "api", "it is there", func(*v1alpha1.TestSuite) bool { return true })
	waitForPods(t, tenant, push(t, repo, "main", map[string]string{"tests/api.yaml": shell("api", "sleep 300")}))

	if err := w.Client.Delete(deadline(t), object); err != nil {
		t.Fatal(err)
	}
	for what, list := range map[string]client.ObjectList{
		"TestSuites": &v1alpha1.TestSuiteList{}, "TestRuns": &v1alpha1.TestRunList{}, "pods": &corev1.PodList{},
	} {
		err := world.Until(deadline(t), "the "+what+" are gone", func(ctx context.Context) (bool, error) {
			err := w.Client.List(ctx, list, client.InNamespace(tenant.Name), client.MatchingLabels{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy})
			return err == nil && meta.LenList(list) == 0, err
		})
		if err != nil {
			t.Errorf("%v; there are %+v", err, list)
		}
	}
	if err := w.Client.Get(deadline(t), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
		t.Errorf("the TestRepository is still there: %v", err)
	}
}

// TestE2EEmptyRepository is about nothing, until the first push.
func TestE2EEmptyRepository(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "empty", nil)
	repo, err := w.NewRepository(unique("empty"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := repo.Delete(); err != nil {
			t.Error(err)
		}
	})
	object, err := tenant.Sync(deadline(t), repo, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = world.Until(deadline(t), "the repository was polled", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(object), object)
		return len(object.Status.Conditions) > 0, err
	})
	if err != nil || !meta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ReadyCondition) {
		t.Errorf("%v; the conditions are %+v", err, object.Status.Conditions)
	}
	first := push(t, repo, "main", catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
	expectStatus(t, repo, first, tenant.Name, "success", "")
}

// TestE2ETwoRepositoriesOnOneURL has two teams test one repository, each in an environment of
// its own: neither says anything of the other's.
func TestE2ETwoRepositoriesOnOneURL(t *testing.T) {
	t.Parallel()
	one, other := newTenant(t, "one", nil), newTenant(t, "other", nil)
	files := catalog(one.Name, map[string]string{"api.yaml": shell("api", "true")})
	files["tests/overlays/"+other.Name+"/kustomization.yaml"] = "resources: [../..]\npatches:\n- patch: |-\n    - {op: replace, path: /spec/command/2, value: exit 1}\n  target: {kind: TestSuite}\n"
	repo, main := newRepository(t, "shared", files)
	for _, tenant := range []*world.Tenant{one, other} {
		if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
			t.Fatal(err)
		}
	}
	expectStatus(t, repo, main, one.Name, "success", "")
	expectStatus(t, repo, main, other.Name, "failure", "api")

	topic := push(t, repo, "topic", map[string]string{"tests/more.txt": "x"})
	number, err := repo.OpenPullRequest(deadline(t), "topic", "More")
	if err != nil {
		t.Fatal(err)
	}
	expectComments(t, repo, number, "1 suite passed", "1 of 1 suite failed", topic[:7])
	again := push(t, repo, "topic", map[string]string{"tests/more.txt": "y"})
	expectComments(t, repo, number, "1 suite passed", "1 of 1 suite failed", again[:7])
	for tenant, state := range map[*world.Tenant]string{one: "success", other: "failure"} {
		expectStatus(t, repo, again, tenant.Name, state, "")
		for _, run := range runsOf(t, tenant, nil) {
			if run.Spec.Environment != tenant.Name {
				t.Errorf("%s is in the environment %s", run.Name, run.Spec.Environment)
			}
		}
	}
}

// expectComments waits for two comments, one with each text, both about the commit.
func expectComments(t *testing.T, repo *world.Repository, number int64, one, other, commit string) {
	t.Helper()
	var comments []*gitea.Comment
	err := world.Until(deadline(t), "two comments on "+commit, func(context.Context) (_ bool, err error) {
		if comments, err = repo.Comments(number); len(comments) < 2 {
			return false, err
		}
		a, b := comments[0].Body, comments[1].Body
		if strings.Contains(a, other) {
			a, b = b, a
		}
		return strings.Contains(a, one) && strings.Contains(b, other) && strings.Contains(a, commit) && strings.Contains(b, commit), nil
	})
	if err != nil || len(comments) != 2 {
		t.Errorf("%v; there are %d comments: %+v", err, len(comments), comments)
	}
}
