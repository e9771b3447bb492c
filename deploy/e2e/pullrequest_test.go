//go:build e2e

package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	"code.gitea.io/sdk/gitea"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EPullRequest follows a pull request that breaks one of two suites, is superseded while
// it runs, and is mended: statuses follow, and one comment is edited in place.
func TestE2EPullRequest(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "pull", nil)
	paths := func(p string) string { return "  on: {push: {}, pullRequest: {paths: ['" + p + "']}}" }
	checkout := shell("checkout", "cat ../price && grep -q '^10$' ../price", "  content: {paths: [tests, price]}", paths("price"))
	repo, main := newRepository(t, "pull", with(
		catalog(tenant.Name, map[string]string{"checkout.yaml": checkout, "search.yaml": shell("search", "true", paths("search/**"))}),
		map[string]string{"price": "10\n", "search/index": "a\n"}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")

	broken := push(t, repo, "cheaper", map[string]string{"price": "9\n"})
	number, err := repo.OpenPullRequest(deadline(t), "cheaper", "Make it cheaper")
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, broken, tenant.Name, "failure", "checkout")
	run, err := tenant.FinalRun(deadline(t), broken, v1alpha1.CausePullRequest)
	if err != nil {
		t.Fatal(err)
	}
	expectPlan(t, run, "checkout", true, "price")
	expectPlan(t, run, "search", false, "")
	first := oneComment(t, repo, number, "checkout")

	mended := push(t, repo, "cheaper", map[string]string{"price": "10\n", "search/index": "b\n"})
	expectStatus(t, repo, mended, tenant.Name, "success", "")
	second := oneComment(t, repo, number, mended[:7])
	if first.ID != second.ID {
		t.Errorf("the comment was written anew: %d, then %d", first.ID, second.ID)
	}
}

func expectPlan(t *testing.T, run *v1alpha1.TestRun, suite string, runs bool, reason string) {
	t.Helper()
	i := slices.IndexFunc(run.Status.Plan, func(p v1alpha1.PlannedSuite) bool { return p.Suite == suite })
	if i < 0 {
		t.Fatalf("the plan has no %q: %+v", suite, run.Status.Plan)
	}
	if p := run.Status.Plan[i]; p.Run != runs || !strings.Contains(strings.Join(p.Reasons, "; "), reason) || len(p.Reasons) == 0 {
		t.Errorf("the plan says %+v; want run %v because of %q", p, runs, reason)
	}
}

// oneComment waits for the comment to say the text, and checks that it is the only one.
func oneComment(t *testing.T, repo *world.Repository, number int64, text string) *gitea.Comment {
	t.Helper()
	var comments []*gitea.Comment
	err := world.Until(deadline(t), "the comment says "+text, func(context.Context) (_ bool, err error) {
		comments, err = repo.Comments(number)
		return len(comments) > 0 && strings.Contains(comments[0].Body, text), err
	})
	if err != nil {
		t.Fatalf("%v; the comments are %+v", err, comments)
	}
	if len(comments) != 1 {
		t.Errorf("%d comments", len(comments))
	}
	return comments[0]
}

func TestE2EANewerHeadSupersedes(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "newer", nil)
	repo, first := newRepository(t, "newer", catalog(tenant.Name, map[string]string{"slow.yaml": shell("slow", "sleep 300")}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, first, tenant.Name, "pending", "")
	second := push(t, repo, "main", map[string]string{"tests/slow.yaml": shell("slow", "true")})
	run, err := tenant.FinalRun(deadline(t), first, v1alpha1.CausePush)
	if err != nil || run.Status.State != v1alpha1.StateCancelled {
		t.Errorf("the older run: %v, %+v", err, run.Status)
	}
	expectStatus(t, repo, second, tenant.Name, "success", "")
	if statuses, err := repo.Statuses(first); err != nil || statuses["assay/"+tenant.Name].State == gitea.StatusPending {
		t.Errorf("the older commit has no final status: %v, %+v", err, statuses)
	}
}

// TestE2EForcePushAndDeletedBranch takes a head away from a pull request while it is tested:
// first by force, and then, when it has come back, with its branch.
func TestE2EForcePushAndDeletedBranch(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "force", nil)
	repo, main := newRepository(t, "force", catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")
	slow := map[string]string{"tests/api.yaml": shell("api", "sleep 300")}
	first := push(t, repo, "topic", slow)
	number, err := repo.OpenPullRequest(deadline(t), "topic", "Topic")
	if err != nil {
		t.Fatal(err)
	}
	waitForPods(t, tenant, first)

	second, err := repo.Amend(deadline(t), "topic", map[string][]byte{"tests/api.yaml": []byte(shell("api", "true", "  timeout: 5m"))})
	if err != nil {
		t.Fatal(err)
	}
	expectCancelled(t, tenant, repo, first, 1)
	run, err := tenant.FinalRun(deadline(t), second, v1alpha1.CausePullRequest)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status.State != v1alpha1.StatePassed || run.Spec.Base != main {
		t.Errorf("the head that was pushed by force: %+v, %+v", run.Spec, run.Status)
	}
	expectStatus(t, repo, second, tenant.Name, "success", "")
	oneComment(t, repo, number, second[:7])

	if err := repo.Reset(deadline(t), "topic", first); err != nil {
		t.Fatal(err)
	}
	waitForPods(t, tenant, first)
	if err := repo.DeleteBranch(deadline(t), "topic"); err != nil {
		t.Fatal(err)
	}
	expectCancelled(t, tenant, repo, first, 2)
}

// expectCancelled waits until the commit has so many runs, all cancelled, without a pod, and
// its final status.
func expectCancelled(t *testing.T, tenant *world.Tenant, repo *world.Repository, commit string, want int) {
	t.Helper()
	var runs []v1alpha1.TestRun
	err := world.Until(deadline(t), "the runs are cancelled", func(context.Context) (bool, error) {
		runs = runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: commit})
		return len(runs) == want && !slices.ContainsFunc(runs, func(r v1alpha1.TestRun) bool { return r.Status.State != v1alpha1.StateCancelled }), nil
	})
	if err != nil {
		t.Fatalf("%v; they are %+v", err, runs)
	}
	expectStatus(t, repo, commit, tenant.Name, "error", "")
	for _, run := range runs {
		err := world.Until(deadline(t), "the pods of "+run.Name+" are gone", func(ctx context.Context) (bool, error) {
			var pods corev1.PodList
			err := w.Client.List(ctx, &pods, client.InNamespace(tenant.Name), client.MatchingLabels{v1alpha1.RunLabel: run.Name})
			return len(pods.Items) == 0, err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestE2EScheduledSuite(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "cron", nil)
	repo, commit := newRepository(t, "cron", catalog(tenant.Name, map[string]string{
		"every-minute.yaml": shell("every-minute", "true", "  on: {schedule: [{cron: '* * * * *'}]}")}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	// The push itself concerns no suite, and says so.
	expectStatus(t, repo, commit, tenant.Name, "success", "no suite")
	run, err := tenant.FinalRun(deadline(t), commit, v1alpha1.CauseSchedule)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status.State != v1alpha1.StatePassed || len(run.Status.Suites) != 1 {
		t.Errorf("the scheduled run: %+v", run.Status)
	}
}
