package catalog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

func TestCheckPolicy(t *testing.T) {
	staging := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Spec: v1alpha1.TestEnvironmentSpec{
		Images:  []string{"grafana/*", "registry.example/**"},
		Secrets: []string{"shop-*"},
		Limits: v1alpha1.EnvironmentLimits{
			Timeout:   &metav1.Duration{Duration: 15 * time.Minute},
			Resources: corev1.ResourceList{"memory": resource.MustParse("1Gi"), "cpu": resource.MustParse("2")},
		},
	}}
	tests := map[string]struct {
		spec        string
		environment *v1alpha1.TestEnvironment
		want        []string
	}{
		"what is allowed": {`{tool: k6, resources: {limits: {memory: 1024Mi, cpu: 2000m}}}`, staging, nil},
		"the Secrets that are allowed, and any ConfigMap": {
			`{tool: k6, env: [{name: A, valueFrom: {secretKeyRef: {name: shop-a, key: k}}}], envFrom: [{secretRef: {name: shop-b}}, {configMapRef: {name: any}}]}`, staging, nil,
		},
		"Secrets that are not": {
			`{tool: k6, env: [{name: A, valueFrom: {secretKeyRef: {name: admin, key: k}}}], envFrom: [{configMapRef: {name: any}}, {secretRef: {name: root}}]}`, staging,
			[]string{
				`tests/checkout.yaml: spec.env[name=A].valueFrom.secretKeyRef.name: environment "staging" forbids suite "checkout": the Secret "admin" matches none of secrets (have the platform team add "admin" to spec.secrets of the TestEnvironment, or read a Secret that matches shop-*)`,
				`tests/checkout.yaml: spec.envFrom[1].secretRef.name: environment "staging" forbids suite "checkout": the Secret "root" matches none of secrets (have the platform team add "root" to spec.secrets of the TestEnvironment, or read a Secret that matches shop-*)`,
			},
		},
		"** crosses the folders of images":            {`{image: "registry.example/team/tool:1"}`, staging, nil},
		"an environment without rules allows an hour": {`{tool: k6, image: any, timeout: 1h}`, &v1alpha1.TestEnvironment{}, nil},
		"everything that is forbidden is told": {
			`{image: "docker.io/grafana/k6", timeout: 16m, resources: {limits: {memory: 2Gi}, requests: {cpu: 3}}}`, staging,
			[]string{
				`tests/checkout.yaml: spec.image: environment "staging" forbids suite "checkout": the image "docker.io/grafana/k6" matches none of images (use an image that matches grafana/*, registry.example/**)`,
				`tests/checkout.yaml: spec.timeout: environment "staging" forbids suite "checkout": 16m0s is longer than limits.timeout allows (ask for at most 15m0s)`,
				`tests/checkout.yaml: spec.resources.limits.memory: environment "staging" forbids suite "checkout": 2Gi is more than limits.resources allows (ask for at most 1Gi)`,
				`tests/checkout.yaml: spec.resources.requests.cpu: environment "staging" forbids suite "checkout": 3 is more than limits.resources allows (ask for at most 2)`,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := render(t, map[string]string{"checkout": test.spec})
			var got []string
			for _, f := range fault.All(CheckPolicy(c.Suites[0], test.environment, v1alpha1.CausePush)) {
				if f.Reason != fault.PolicyViolation {
					t.Errorf("reason %s", f.Reason)
				}
				got = append(got, f.Error())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPlanSaysWhatIsForbidden: of suites that would run, and of no others.
func TestPlanSaysWhatIsForbidden(t *testing.T) {
	head := render(t, map[string]string{"a": `{tool: k6, timeout: 2h}`, "b": `{tool: k6, timeout: 2h, suspend: true}`, "c": `{tool: k6}`})
	short := environment(func(s *v1alpha1.TestEnvironmentSpec) { s.Limits.Timeout = &metav1.Duration{Duration: time.Minute} })
	for _, cause := range []v1alpha1.CauseType{v1alpha1.CausePullRequest, v1alpha1.CauseAPI} {
		plan, err := Plan(PlanInput{Head: head, Cause: v1alpha1.Cause{Type: cause}, Environment: short})
		if err != nil {
			t.Fatal(err)
		}
		want := `tests/a.yaml: spec.timeout: environment "staging" forbids suite "a": 2h0m0s is longer than limits.timeout allows (ask for at most 1m0s)`
		if !plan[0].Run || plan[0].Violation != want || plan[1].Violation != "" || plan[2].Violation != "" {
			t.Errorf("%s: the plan is %+v", cause, plan)
		}
	}
}

func TestWithDefaultsOf(t *testing.T) {
	minutes := func(n int) *metav1.Duration { return &metav1.Duration{Duration: time.Duration(n) * time.Minute} }
	for name, c := range map[string]struct{ limit, suite, want *metav1.Duration }{
		"a default is cut to the limit":            {minutes(5), minutes(10), minutes(5)},
		"a limit beyond the default is none":       {minutes(15), minutes(10), minutes(10)},
		"what is asked for is left to CheckPolicy": {minutes(5), minutes(20), minutes(20)},
		"no limit": {nil, minutes(10), minutes(10)},
	} {
		t.Run(name, func(t *testing.T) {
			suite := Suite{TestSuite: v1alpha1.TestSuite{Spec: v1alpha1.TestSuiteSpec{Timeout: c.suite}}}
			env := &v1alpha1.TestEnvironment{Spec: v1alpha1.TestEnvironmentSpec{Limits: v1alpha1.EnvironmentLimits{Timeout: c.limit}}}
			if got := WithDefaultsOf(suite, env).Spec.Timeout; got.Duration != c.want.Duration {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestSecretsAreNamed: none may be read but those that are named, and by pull requests those that are named for them.
func TestSecretsAreNamed(t *testing.T) {
	suite := render(t, map[string]string{"checkout": `{tool: k6, env: [{name: A, valueFrom: {secretKeyRef: {name: shop, key: k}}}]}`}).Suites[0]
	for _, c := range []struct {
		name                string
		secrets, ofRequests []string
		cause               v1alpha1.CauseType
		allowed             bool
		remedy              string
	}{
		{"none is named", nil, nil, v1alpha1.CausePush, false, `add "shop" to spec.secrets of`},
		{"an empty list", []string{}, []string{}, v1alpha1.CauseSchedule, false, `add "shop" to spec.secrets of`},
		{"it is named", []string{"shop"}, nil, v1alpha1.CausePush, true, ""},
		{"it is named for pushes", []string{"shop"}, nil, v1alpha1.CausePullRequest, false, `add "shop" to spec.pullRequestSecrets of`},
		{"it is named for pull requests", nil, []string{"sh*"}, v1alpha1.CausePullRequest, true, ""},
		{"it is named for pull requests alone", nil, []string{"shop"}, v1alpha1.CauseAPI, false, `add "shop" to spec.secrets of`},
	} {
		env := environment(func(s *v1alpha1.TestEnvironmentSpec) { s.Secrets, s.PullRequestSecrets = c.secrets, c.ofRequests })
		err := CheckPolicy(suite, env, c.cause)
		if (err == nil) != c.allowed || err != nil && !strings.Contains(err.Error(), c.remedy) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestVariablesOf: what an environment gives from Secrets is not for pull requests either, unless it is named for them.
func TestVariablesOf(t *testing.T) {
	from := func(name string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "k"}}}
	}
	env := environment(func(s *v1alpha1.TestEnvironmentSpec) {
		s.Env = []corev1.EnvVar{{Name: "URL", Value: "http://shop"}, from("shown"), from("hidden")}
		s.PullRequestSecrets = []string{"shown"}
	})
	for cause, want := range map[v1alpha1.CauseType][]string{
		v1alpha1.CausePush: {"URL", "shown", "hidden"}, v1alpha1.CausePullRequest: {"URL", "shown"},
	} {
		var got []string
		for _, e := range VariablesOf(env, cause) {
			got = append(got, e.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", cause, diff)
		}
	}
	if len(env.Spec.Env) != 3 {
		t.Error("the environment itself was changed")
	}
}
