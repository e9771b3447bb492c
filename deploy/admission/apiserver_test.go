//go:build apiserver

package admission

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// lab is an API server with the policies, and two who may do everything but for them.
type lab struct {
	*apiservertest.Server
	controller, tenant client.Client
	repo               *v1alpha1.TestRepository
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Server: apiservertest.Start(t)}
	l.controller = l.as(t, "system:serviceaccount:assay-system:assay-controller")
	l.tenant = l.as(t, "system:serviceaccount:shop:dev")
	l.repo = &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop"},
		Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}},
	}
	l.Make(t, l.repo)
	for _, file := range []string{"runs.yaml", "status.yaml"} {
		l.apply(t, file)
	}
	probe := l.run("probe", v1alpha1.CausePush)
	apiservertest.Until(t, "the policies are in force", func() bool {
		err := l.tenant.Create(t.Context(), probe.DeepCopy(), client.DryRunAll)
		status := l.tenant.Status().Patch(t.Context(), l.repo.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"status":{"defaultBranch":"x"}}`)))
		return apierrors.IsForbidden(err) && apierrors.IsForbidden(status)
	}, func() any { return probe })
	return l
}

// as gives the client of a user whom RBAC forbids nothing.
func (l *lab) as(t *testing.T, user string) client.Client {
	t.Helper()
	config := rest.CopyConfig(l.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	c, err := client.New(config, client.Options{Scheme: l.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *lab) apply(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		l.Make(t, object)
	}
}

// run is one that is named so, as NewRun makes it.
func (l *lab) run(name string, cause v1alpha1.CauseType) *v1alpha1.TestRun {
	c := v1alpha1.Cause{Type: cause}
	switch at := metav1.NewTime(time.Unix(1e9, 0)); cause {
	case v1alpha1.CausePullRequest:
		c.PullRequest = &v1alpha1.PullRequestRef{Number: 2}
	case v1alpha1.CauseSchedule:
		c.ScheduledTime = &at
	}
	run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: "staging", Commit: strings.Repeat("a", 40), Cause: c}, "")
	run.Name = name
	return run
}

func TestAPIServerWhoMayWriteRuns(t *testing.T) {
	l := newLab(t)
	for _, cause := range []v1alpha1.CauseType{v1alpha1.CausePush, v1alpha1.CausePullRequest, v1alpha1.CauseSchedule} {
		name := strings.ToLower(string(cause))
		if err := l.tenant.Create(t.Context(), l.run(name, cause)); !apierrors.IsForbidden(err) {
			t.Errorf("a tenant makes a run of %s: %v", cause, err)
		}
		if err := l.controller.Create(t.Context(), l.run(name, cause)); err != nil {
			t.Errorf("the controller makes a run of %s: %v", cause, err)
		}
	}
	for name, change := range map[string]func(*v1alpha1.TestRun){
		"proof":        func(r *v1alpha1.TestRun) { r.Annotations = map[string]string{v1alpha1.ProofAnnotation: "x"} },
		"state":        func(r *v1alpha1.TestRun) { r.Labels[v1alpha1.StateLabel] = "Passed" },
		"pull-request": func(r *v1alpha1.TestRun) { r.Labels[v1alpha1.PullRequestLabel] = "2" },
	} {
		run := l.run(name, v1alpha1.CauseAPI)
		change(run)
		if err := l.tenant.Create(t.Context(), run); !apierrors.IsForbidden(err) {
			t.Errorf("a tenant makes a run with %s of the controller's: %v", name, err)
		}
	}
	asked := l.run("asked", v1alpha1.CauseAPI)
	asked.Labels["team"], asked.Annotations = "payments", map[string]string{"why": "to see"}
	if err := l.tenant.Create(t.Context(), asked); err != nil {
		t.Errorf("a tenant asks for a run: %v", err)
	}
	bare := l.run("bare", v1alpha1.CauseAPI)
	bare.Labels = nil
	if err := l.tenant.Create(t.Context(), bare); err != nil {
		t.Errorf("a tenant asks for a run without labels: %v", err)
	}
}

func TestAPIServerWhoMayChangeRuns(t *testing.T) {
	l := newLab(t)
	run := l.run("push", v1alpha1.CausePush)
	run.Annotations = map[string]string{v1alpha1.ProofAnnotation: "x"}
	run.Finalizers = []string{v1alpha1.RunFinalizer}
	if err := l.controller.Create(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	patch := func(c client.Client, text string) error {
		return c.Patch(t.Context(), run.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(text)))
	}
	for _, step := range []struct {
		patch   string
		allowed bool
	}{
		{`{"metadata":{"annotations":{"assay.dev/proof":"y"}}}`, false},
		{`{"metadata":{"annotations":{"assay.dev/proof":null}}}`, false},
		{`{"metadata":{"annotations":{"assay.dev/outcome":"y"}}}`, false},
		{`{"metadata":{"labels":{"assay.dev/state":"Passed"}}}`, false},
		{`{"metadata":{"labels":{"assay.dev/commit":"b"}}}`, false},
		{`{"metadata":{"labels":{"assay.dev/commit":null}}}`, false},
		{`{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}`, false},
		{`{"metadata":{"labels":{"team":"payments"},"annotations":{"why":"to see"}}}`, true},
		{`{"metadata":{"labels":{"team":null},"annotations":{"why":null}}}`, true},
		{`{"spec":{"cancel":true}}`, true},
		{`{"spec":{"cancel":false}}`, false},
		{`{"spec":{"cancel":null}}`, false},
	} {
		err := patch(l.tenant, step.patch)
		if step.allowed && err != nil || !step.allowed && !apierrors.IsForbidden(err) {
			t.Errorf("a tenant writes %s: %v", step.patch, err)
		}
	}
	for _, text := range []string{`{"metadata":{"labels":{"assay.dev/state":"Cancelled"}}}`, `{"metadata":{"finalizers":null}}`} {
		if err := patch(l.controller, text); err != nil {
			t.Errorf("the controller writes %s: %v", text, err)
		}
	}
	status := func(c client.Client) error {
		return c.Status().Patch(t.Context(), run.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"status":{"state":"Passed"}}`)))
	}
	if err := status(l.tenant); !apierrors.IsForbidden(err) {
		t.Errorf("a tenant writes a status: %v", err)
	}
	if err := status(l.controller); err != nil {
		t.Errorf("the controller writes a status: %v", err)
	}
}
