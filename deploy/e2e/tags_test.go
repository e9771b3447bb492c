//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2ETags follows releases on a branch that is not watched: tags that match, the second
// with a message, and between them some that do not.
func TestE2ETags(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "tags", nil)
	repo, main := newRepository(t, "tags", catalog(tenant.Name, map[string]string{
		"release.yaml": shell("release", "true"), "trunk.yaml": shell("trunk", "true", "  on: {push: {branches: [main]}}")}))
	_, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
		r.Spec.Tags = &v1alpha1.TagPolicy{Match: []string{"v*"}, SemVer: ">=1.0.0"}
	})
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")

	first := push(t, repo, "release", map[string]string{"VERSION": "1.0.0\n"})
	pushTags(t, repo, "", "v1.0.0")
	run := expectRelease(t, tenant, repo, first, "v1.0.0", "")
	expectPlan(t, run, "release", true, "")
	expectPlan(t, run, "trunk", false, "")

	push(t, repo, "release", map[string]string{"VERSION": "odd\n"})
	pushTags(t, repo, "", "v0.9.0", "v1.2.0-rc.1", "2.0.0", "vnext")
	second := push(t, repo, "release", map[string]string{"VERSION": "1.1.0\n"})
	pushTags(t, repo, "Better", "v1.1.0")
	expectRelease(t, tenant, repo, second, "v1.1.0", first)

	// The poll that found the second has seen the odd ones too.
	var tags []string
	for _, run := range runsOf(t, tenant, client.MatchingLabels{v1alpha1.RepositoryLabel: repo.Name}) {
		if run.Spec.Tag != "" {
			tags = append(tags, run.Spec.Tag)
		}
	}
	slices.Sort(tags)
	if !slices.Equal(tags, []string{"v1.0.0", "v1.1.0"}) {
		t.Errorf("there are runs of the tags %q", tags)
	}
}

func pushTags(t *testing.T, repo *world.Repository, message string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := repo.PushTag(deadline(t), name, message); err != nil {
			t.Fatal(err)
		}
	}
}

// expectRelease waits for the run of a tag to pass and to be told on its commit.
func expectRelease(t *testing.T, tenant *world.Tenant, repo *world.Repository, commit, tag, base string) *v1alpha1.TestRun {
	t.Helper()
	run, err := tenant.FinalRun(deadline(t), commit, v1alpha1.CausePush)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status.State != v1alpha1.StatePassed || run.Spec.Tag != tag || run.Spec.Branch != "" || run.Spec.Base != base {
		t.Errorf("the run of %s: %+v, %+v", tag, run.Spec, run.Status)
	}
	expectStatus(t, repo, commit, tenant.Name, "success", "")
	return run
}
