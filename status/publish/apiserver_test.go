//go:build apiserver

package publish_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/memory"
	"github.com/assay-dev/assay/status/publish"
)

// With a real API server (KUBEBUILDER_ASSETS): schemas, the status subresource, the cache
// and its delays, and a controller that is stopped and started again.
func TestControllerPublishesAndSurvivesARestart(t *testing.T) {
	c := apiservertest.Start(t)
	host := memory.New("assay")
	host.PutPullRequest(providers.PullRequest{Number: 7, Head: commitA})
	forges := forgesFunc(func(ctx context.Context, _ *v1alpha1.TestRepository) (providers.Forge, error) {
		return host.Open(ctx, providers.Config{Token: "assay"})
	})
	start := func() (stop func()) {
		t.Helper()
		return c.Run(t, c.Config, func(_ context.Context, m ctrl.Manager) error {
			return (&publish.Reconciler{Key: key, Forges: forges}).SetupWithManager(m, publish.Options{FirstRetry: 10 * time.Millisecond})
		})
	}

	create(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
	create(t, c, &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"}, Spec: v1alpha1.TestRepositorySpec{
		URL: "https://git.example.org/team/shop.git", Interval: metav1.Duration{Duration: time.Minute}, Provider: v1alpha1.ProviderGitea, Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}}}})
	staging, prod := run("staging", commitA, 7, time.Time{}, pending), run("prod", commitA, 7, time.Time{}, pending)
	create(t, c, staging)
	create(t, c, prod)

	stop := start()
	standing := func() string {
		f, _ := host.Open(t.Context(), providers.Config{Token: "assay"})
		all, err := f.Statuses.List(t.Context(), commitA)
		if err != nil {
			return err.Error()
		}
		var lines []string
		for _, s := range all {
			lines = append(lines, fmt.Sprintf("%s %s", s.Context, s.State))
		}
		for _, c := range host.CommentsOn(7) {
			lines = append(lines, strings.Split(c.Body, "\n")[1])
		}
		return strings.Join(lines, "; ")
	}
	eventually(t, standing, "assay/prod pending; assay/staging pending; ### 🕓 The suites run")

	put(t, c, staging, failed)
	eventually(t, standing, "assay/prod pending; assay/staging failure; ### ❌ 1 of 2 suites failed")
	stop()

	put(t, c, prod, passed)
	put(t, c, staging, passed)
	stop = start()
	defer stop()
	eventually(t, standing, "assay/prod success; assay/staging success; ### ✅ 2 suites passed")
	eventually(t, func() string {
		var list v1alpha1.TestRunList
		if err := c.List(t.Context(), &list); err != nil {
			return err.Error()
		}
		digests := map[string]bool{}
		for _, r := range list.Items {
			digests[r.Status.Published[:min(len(r.Status.Published), 7)]] = true
		}
		return fmt.Sprint(digests)
	}, "map[sha256::true]")
	if n := len(host.History(commitA)); n != 5 {
		t.Errorf("%d statuses were ever set, want 5: %v", n, host.History(commitA))
	}
}

// What is not a change of the run that speaks wakes the publisher, too: a pull request that goes
// back to an earlier commit, and a run that somebody asked for.
func TestControllerFollowsThePollAndRunsAgain(t *testing.T) {
	c := apiservertest.Start(t)
	host := memory.New("assay")
	host.AddCommit(commitA)
	host.PutPullRequest(providers.PullRequest{Number: 7, Head: commitB})
	forges := forgesFunc(func(ctx context.Context, _ *v1alpha1.TestRepository) (providers.Forge, error) {
		return host.Open(ctx, providers.Config{Token: "assay"})
	})
	create(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
	repository := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"},
		Spec: v1alpha1.TestRepositorySpec{URL: "https://git.example.org/team/shop.git", Provider: v1alpha1.ProviderGitea,
			Interval: metav1.Duration{Duration: time.Minute}, StatusPrefix: "mono/shop-1",
			Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}}}
	for _, wrong := range []string{"/assay", "assay/", "a b", "a//b", strings.Repeat("x", 65)} {
		bad := repository.DeepCopy()
		bad.Spec.StatusPrefix = wrong
		if err := c.Create(t.Context(), bad); !apierrors.IsInvalid(err) {
			t.Errorf("the prefix %q is taken: %v", wrong, err)
		}
	}
	create(t, c, repository)
	create(t, c, run("staging", commitA, 7, time.Time{}, failed))
	create(t, c, run("staging", commitB, 7, time.Time{}, passed))
	defer c.Run(t, c.Config, func(_ context.Context, m ctrl.Manager) error {
		return (&publish.Reconciler{Key: key, Forges: forges}).SetupWithManager(m, publish.Options{FirstRetry: 10 * time.Millisecond})
	})()

	polled := func(commit string) {
		repository.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: commit}}
		if err := c.Status().Update(t.Context(), repository); err != nil {
			t.Fatal(err)
		}
	}
	comment := func() string {
		for _, c := range host.CommentsOn(7) {
			return strings.Split(c.Body, "\n")[1]
		}
		return ""
	}
	polled(commitB)
	eventually(t, comment, "### ✅ 1 suite passed")
	polled(commitA)
	eventually(t, comment, "### ❌ 1 of 1 suite failed")
	polled(commitB)
	eventually(t, comment, "### ✅ 1 suite passed")
	polled(commitA)
	eventually(t, comment, "### ❌ 1 of 1 suite failed")

	again := run("staging", commitA, 0, time.Time{}, passed)
	again.Name, again.Spec.Cause = "again", v1alpha1.Cause{Type: v1alpha1.CauseAPI}
	create(t, c, again)
	eventually(t, comment, "### ✅ 1 suite passed")
	eventually(t, func() string {
		history := host.History(commitA)
		var contexts []string
		for _, s := range history {
			contexts = append(contexts, s.Context+" "+string(s.State))
		}
		return strings.Join(contexts, "; ")
	}, "mono/shop-1/staging failure; mono/shop-1/staging success")
}

func create(t *testing.T, c client.Client, o client.Object) {
	t.Helper()
	if r, isRun := o.(*v1alpha1.TestRun); isRun {
		key.SignRun(r)
	}
	want, isRun := o.DeepCopyObject().(*v1alpha1.TestRun)
	if err := c.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if isRun {
		put(t, c, o.(*v1alpha1.TestRun), want.Status)
	}
}

// put sets the status as the runner does, again when the publisher was faster.
func put(t *testing.T, c client.Client, r *v1alpha1.TestRun, status v1alpha1.TestRunStatus) {
	t.Helper()
	for {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
			t.Fatal(err)
		}
		published := r.Status.Published
		r.Status = *status.DeepCopy()
		r.Status.Published = published
		err := c.Status().Update(t.Context(), r)
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
}

func eventually(t *testing.T, is func() string, want string) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for got := is(); got != want; got = is() {
		select {
		case <-deadline:
			t.Fatalf("stands %q, want %q", got, want)
		case <-tick.C:
		}
	}
}
