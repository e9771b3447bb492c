//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
	"github.com/assay-dev/assay/runner"
)

// as gives the client of somebody who has edit in the tenant's namespace and nowhere else.
func as(t *testing.T, tenant *world.Tenant) client.Client {
	t.Helper()
	user := "user-of-" + tenant.Name
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant.Name, Name: "edit"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	if err := w.Client.Create(deadline(t), binding); err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(w.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	c, err := client.New(config, client.Options{Scheme: w.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// victim is a run of a suite that fails, which waits for its place behind one that runs.
func victim(t *testing.T) (*world.Tenant, *world.Repository, *v1alpha1.TestRun) {
	t.Helper()
	tenant := newTenant(t, "victim", func(env *v1alpha1.TestEnvironment) { env.Spec.Limits.Pods = 1 })
	repo, main := newRepository(t, "victim", catalog(tenant.Name, map[string]string{
		"a-first.yaml": shell("a-first", "while [ -e /tmp ]; do sleep 1; done", "  timeout: 15s"),
		"prey.yaml":    shell("prey", "exit 1"),
	}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	waitForPods(t, tenant, main)
	runs := runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: main})
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	return tenant, repo, &runs[0]
}

// genuine gives the pod that runs for the run.
func genuine(t *testing.T, tenant *world.Tenant, run *v1alpha1.TestRun) *corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	err := w.Client.List(deadline(t), &pods, client.InNamespace(tenant.Name), client.MatchingLabels{v1alpha1.RunLabel: run.Name})
	if err != nil || len(pods.Items) != 1 {
		t.Fatalf("%d pods, %v", len(pods.Items), err)
	}
	return &pods.Items[0]
}

// forgery is a copy of a genuine pod, with everything that it shows, in another namespace.
func forgery(pod *corev1.Pod, namespace, name string) *corev1.Pod {
	forged := &corev1.Pod{Spec: *pod.Spec.DeepCopy()}
	forged.Namespace, forged.Name, forged.Labels, forged.Annotations = namespace, name, pod.Labels, pod.Annotations
	forged.Spec.NodeName = ""
	return forged
}

// TestE2EForgedPods: whoever may create pods in a namespace, even in the environment's, decides no verdict with one, keeps
// no run from going, and is given no content.
func TestE2EForgedPods(t *testing.T) {
	t.Parallel()
	tenant, repo, run := victim(t)
	eve := newTenant(t, "eve", nil)
	thief, insider := as(t, eve), as(t, tenant)
	prey := runner.PodName(run, runner.AttemptOf("prey", 1))
	first := genuine(t, tenant, run)

	for where, c := range map[string]client.Client{eve.Name: thief, tenant.Name: insider} {
		forged := forgery(first, where, prey)
		forged.Labels = map[string]string{}
		for key, value := range first.Labels {
			forged.Labels[key] = value
		}
		forged.Labels[v1alpha1.SuiteLabel] = "prey"
		forged.Annotations = map[string]string{v1alpha1.OutcomeAnnotation: `{"exitCode":0,"counts":{"total":42,"passed":42}}`}
		forged.Spec.Containers[0].Command, forged.Spec.Containers[0].Args = []string{"true"}, nil
		if where == tenant.Name { // it must not be in the way: its name is another's then
			forged.Name += "-2"
		}
		if err := c.Create(deadline(t), forged); err != nil {
			t.Fatal(err)
		}
	}
	contentThief(t, thief, forgery(first, eve.Name, "thief"))

	ended, err := tenant.FinalRun(deadline(t), run.Spec.Commit, v1alpha1.CausePush)
	if err != nil {
		t.Fatal(err)
	}
	if s := suite(t, ended, "prey"); s.State != v1alpha1.StateFailed || s.Cases != nil || len(s.Attempts) != 1 || s.Attempts[0].PodUID == "" {
		t.Errorf("prey is %s: %s, %+v", s.State, s.Message, s.Attempts)
	}
	expectStatus(t, repo, run.Spec.Commit, tenant.Name, "failure", "prey")
	if err := w.Client.Delete(deadline(t), ended); err != nil {
		t.Fatal(err)
	}
	err = world.Until(deadline(t), "the run is gone, with forged pods about", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(ended), ended)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		t.Error(err)
	}
}

// contentThief has a pod that is a copy of a genuine one, proof included, ask for its content.
func contentThief(t *testing.T, c client.Client, forged *corev1.Pod) {
	t.Helper()
	forged.Spec.ActiveDeadlineSeconds = new(int64(90))
	if err := c.Create(deadline(t), forged); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Client.Delete(context.Background(), forged) })
	err := world.Until(deadline(t), "the thief has given up", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(forged), forged)
		return forged.Status.Phase == corev1.PodFailed || forged.Status.Phase == corev1.PodSucceeded, err
	})
	if err != nil || forged.Status.Phase != corev1.PodFailed || forged.Status.Reason == "" && !refused(forged) {
		t.Errorf("the thief is %s %s: %+v, %v", forged.Status.Phase, forged.Status.Reason, forged.Status.ContainerStatuses, err)
	}
}

// refused says whether the pod told that the gateway gave it nothing.
func refused(pod *corev1.Pod) bool {
	for _, s := range pod.Status.ContainerStatuses {
		if e := s.State.Terminated; e != nil && strings.Contains(e.Message, "403") {
			return true
		}
	}
	return false
}

// TestE2EMetricsAreForThoseWhoMayReadThem: not for a pod without a token, nor for one whose token says nothing of them.
func TestE2EMetricsAreForThoseWhoMayReadThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path, token string
		want              int
	}{
		{"nobody's metrics", "/metrics", "", http.StatusUnauthorized},
		{"a token that is none", "/metrics", w.Token, http.StatusInternalServerError}, // as controller-runtime answers
		{"nobody's profile", "/debug/pprof/heap", "", http.StatusNotFound},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		code, _, err := w.GetMetrics(ctx, c.path, c.token)
		cancel()
		if err != nil || code != c.want {
			t.Errorf("%s: %d, %v, want %d", c.name, code, err, c.want)
		}
	}
	if text, err := w.Metrics(deadline(t)); err != nil || !strings.Contains(text, "assay_") {
		t.Errorf("who may read them: %.200s, %v", text, err)
	}
}
