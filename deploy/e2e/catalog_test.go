//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2ECatalogInTheCluster edits and deletes the TestSuites that show a catalog, which are
// mended, and lets a pull request change the catalog, which its comment tells.
func TestE2ECatalogInTheCluster(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "shown", nil)
	repo, main := newRepository(t, "shown", catalog(tenant.Name, map[string]string{
		"api.yaml": shell("api", "true", "  timeout: 5m"), "web.yaml": shell("web", "true")}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")
	api := shownSuite(t, tenant, "api", "it has passed", func(s *v1alpha1.TestSuite) bool {
		return s.Status.LastPassed != nil && s.Status.LastPassed.Commit == main
	})

	api.Spec.Timeout = &metav1.Duration{Duration: time.Hour}
	if err := w.Client.Update(deadline(t), api); err != nil {
		t.Fatal(err)
	}
	shownSuite(t, tenant, "api", "the edit is mended", func(s *v1alpha1.TestSuite) bool {
		return s.ResourceVersion != api.ResourceVersion && s.Spec.Timeout.Duration == 5*time.Minute
	})
	web := shownSuite(t, tenant, "web", "it is there", func(*v1alpha1.TestSuite) bool { return true })
	if err := w.Client.Delete(deadline(t), web); err != nil {
		t.Fatal(err)
	}
	shownSuite(t, tenant, "web", "it is there again", func(s *v1alpha1.TestSuite) bool { return s.UID != web.UID })

	longer := push(t, repo, "longer", map[string]string{"tests/api.yaml": shell("api", "true", "  timeout: 6m")})
	number, err := repo.OpenPullRequest(deadline(t), "longer", "Give it time")
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, longer, tenant.Name, "success", "")
	comment := oneComment(t, repo, number, "Catalog changes")
	if !strings.Contains(comment.Body, "spec.timeout") {
		t.Errorf("the comment does not name the field:\n%s", comment.Body)
	}
}

// shownSuite waits for the TestSuite object that shows a suite of the tenant.
func shownSuite(t *testing.T, tenant *world.Tenant, name, what string, done func(*v1alpha1.TestSuite) bool) *v1alpha1.TestSuite {
	t.Helper()
	var found *v1alpha1.TestSuite
	err := world.Until(deadline(t), "the TestSuite "+name+": "+what, func(ctx context.Context) (bool, error) {
		var suites v1alpha1.TestSuiteList
		err := w.Client.List(ctx, &suites, client.InNamespace(tenant.Name), client.MatchingLabels{
			v1alpha1.EnvironmentLabel: tenant.Name, v1alpha1.SuiteLabel: name})
		if len(suites.Items) != 1 {
			return false, err
		}
		found = &suites.Items[0]
		return done(found), err
	})
	if err != nil {
		t.Fatalf("%v; it is %+v", err, found)
	}
	return found
}

// TestE2EWhatHasPassedIsNotRunAgain pushes twice to a pull request: the second time, nothing of
// a hermetic suite has changed.
func TestE2EWhatHasPassedIsNotRunAgain(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "again", nil)
	unit := shell("unit", "true", "  hermetic: true", "  content: {paths: [tests/unit]}")
	repo, main := newRepository(t, "again", with(catalog(tenant.Name, map[string]string{"unit.yaml": unit}),
		map[string]string{"tests/unit/cases": "1\n", "README.md": "a\n"}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")
	first := push(t, repo, "words", map[string]string{"README.md": "b\n"})
	if _, err := repo.OpenPullRequest(deadline(t), "words", "Other words"); err != nil {
		t.Fatal(err)
	}
	run, err := tenant.FinalRun(deadline(t), first, v1alpha1.CausePullRequest)
	if err != nil {
		t.Fatal(err)
	}
	if s := suite(t, run, "unit"); s.State != v1alpha1.StatePassed || len(s.Attempts) != 0 || run.Status.Plan[0].Reused == nil {
		t.Errorf("it ran again: %+v", run.Status)
	}
	second := push(t, repo, "words", map[string]string{"tests/unit/cases": "2\n"})
	if run, err = tenant.FinalRun(deadline(t), second, v1alpha1.CausePullRequest); err != nil {
		t.Fatal(err)
	}
	if s := suite(t, run, "unit"); s.State != v1alpha1.StatePassed || len(s.Attempts) != 1 {
		t.Errorf("its content changed, and it did not run: %+v", run.Status)
	}
}
