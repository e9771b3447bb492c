package pods_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/pods"
	"github.com/assay-dev/assay/runner/proof"
)

var update = flag.Bool("update", false, "write the golden files")

func attempt(change func(*runner.Attempt)) runner.Attempt {
	a := runner.Attempt{
		Run: &v1alpha1.TestRun{
			ObjectMeta: metav1.ObjectMeta{Namespace: "payments", Name: "shop-staging-01234567-abc", UID: "4e2f0e6e-0000-4000-8000-000000000001"},
			Spec:       v1alpha1.TestRunSpec{RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: "staging"},
		},
		ID: runner.AttemptOf("checkout-load", 1),
		Environment: &v1alpha1.TestEnvironment{
			ObjectMeta: metav1.ObjectMeta{Name: "staging"},
			Spec:       v1alpha1.TestEnvironmentSpec{Namespace: "shop-staging", ServiceAccountName: "default"},
		},
		ContentDigest: "sha256:0123456789abcdef",
	}
	a.Suite.Name = "checkout-load"
	a.Suite.Spec = v1alpha1.TestSuiteSpec{
		Tool: "k6", Image: "grafana/k6:1.3.0", ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"k6", "run"}, Args: []string{"load/checkout.js"},
		Report: &v1alpha1.ReportSource{Format: v1alpha1.ReportK6Summary, Path: "/tmp/summary.json"},
	}
	if change != nil {
		change(&a)
	}
	return a
}

// authority is that of a gateway.
func authority() []byte {
	return []byte("-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n")
}

var (
	key     = proof.Must(make([]byte, proof.KeyBytes))
	options = pods.Options{ExecImage: "example.org/assay:1.0", GatewayURL: "https://assay-gateway.assay-system.svc:9090", Key: key}
)

func TestBuild(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*runner.Attempt)
		options func(*pods.Options)
	}{
		{"five-lines", nil, nil},
		{"init-container", nil, func(o *pods.Options) {
			o.Delivery, o.GatewayURL, o.GatewayCA = pods.InitContainer, "https://gateway", authority
		}},
		{"unwrapped", func(a *runner.Attempt) {
			a.Suite.Spec.Command, a.Suite.Spec.Report, a.ContentDigest = nil, nil, ""
		}, nil},
		{"secrets", func(a *runner.Attempt) {
			secret := func(name string) *corev1.EnvVarSource {
				return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "token"}}
			}
			a.Environment.Spec.Env = []corev1.EnvVar{{Name: "BASE_URL", Value: "http://shop"}, {Name: "TOKEN", Value: "overridden"}, {Name: "PLATFORM", ValueFrom: secret("platform")}}
			a.Suite.Spec.Env = []corev1.EnvVar{{Name: "TOKEN", ValueFrom: secret("shop")}, {Name: "HEADER", Value: "Bearer $(TOKEN)"}, {Name: "VUS", Value: "10"},
				{Name: "ASSAY_GATEWAY_URL", Value: "http://evil"}}
		}, nil},
		{"whole-secret", func(a *runner.Attempt) {
			a.Suite.Spec.Env = []corev1.EnvVar{{Name: "VUS", Value: "10"}}
			a.Suite.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "shop"}}}}
		}, nil},
		{"everything-said", func(a *runner.Attempt) {
			a.ID.Number, a.TestsPath = 3, "e2e/tests"
			a.Suite.Spec.WorkingDir, a.Suite.Spec.RunAsUser = "e2e/$(HOME)", ptr.To(int64(1000))
			a.Suite.Spec.Timeout = &metav1.Duration{Duration: 90*time.Minute + time.Millisecond}
			a.Suite.Spec.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}
			a.Environment.Spec.Limits.StartTimeout = &metav1.Duration{Duration: time.Minute}
			a.Environment.Spec.DefaultResources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
		}, nil},
		{"tests-elsewhere", func(a *runner.Attempt) {
			a.TestsPath, a.ContentDigest = "e2e/tests", ""
			a.Environment.Spec.DefaultResources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
		}, nil},
		{"hermetic", func(a *runner.Attempt) {
			a.Suite.Spec.Hermetic = true
			a.Environment.Spec.Env = []corev1.EnvVar{{Name: "BASE_URL", Value: "http://shop"}}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options
			if c.options != nil {
				c.options(&o)
			}
			a := attempt(c.change)
			got, err := yaml.Marshal(pods.Build(a, o))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", c.name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBuildChangesNothingOfTheSuite(t *testing.T) {
	a := attempt(func(a *runner.Attempt) {
		a.Suite.Spec.Command = append(make([]string, 0, 10), "k6", "run")
		a.Suite.Spec.Env = append(make([]corev1.EnvVar, 0, 10), corev1.EnvVar{Name: "A"}, corev1.EnvVar{Name: "ASSAY_X"})
	})
	before := a.Suite.TestSuite.DeepCopy()
	pods.Build(a, options)
	if diff := cmp.Diff(*before, a.Suite.TestSuite); diff != "" {
		t.Error(diff)
	}
}

// TestEveryPodHasALimitOfMemory, and of what its environment bounds; a request is never above its limit.
func TestEveryPodHasALimitOfMemory(t *testing.T) {
	list := func(pairs ...string) corev1.ResourceList {
		l := corev1.ResourceList{}
		for i := 0; i < len(pairs); i += 2 {
			l[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
		}
		return l
	}
	for _, c := range []struct {
		name                  string
		own, given            corev1.ResourceRequirements
		bounds                corev1.ResourceList
		wantLimits, wantAsked corev1.ResourceList
	}{
		{"nothing is said", corev1.ResourceRequirements{}, corev1.ResourceRequirements{}, nil,
			list("memory", "2Gi"), list("cpu", "100m", "memory", "128Mi")},
		{"the suite says it", corev1.ResourceRequirements{Limits: list("memory", "4Gi")}, corev1.ResourceRequirements{Limits: list("memory", "1Gi")}, nil,
			list("memory", "4Gi"), nil},
		{"the environment says it", corev1.ResourceRequirements{}, corev1.ResourceRequirements{Limits: list("memory", "1Gi")}, nil,
			list("memory", "1Gi"), nil},
		{"the suite asks for more than the default", corev1.ResourceRequirements{Requests: list("memory", "3Gi")}, corev1.ResourceRequirements{}, nil,
			list("memory", "3Gi"), list("memory", "3Gi")},
		{"the environment bounds", corev1.ResourceRequirements{Requests: list("cpu", "1")}, corev1.ResourceRequirements{},
			list("memory", "512Mi", "cpu", "2", "ephemeral-storage", "1Gi", "nvidia.com/gpu", "1"),
			list("memory", "512Mi", "cpu", "2", "ephemeral-storage", "1Gi"), list("cpu", "1")},
		{"it bounds below the default request", corev1.ResourceRequirements{}, corev1.ResourceRequirements{}, list("memory", "64Mi"),
			list("memory", "64Mi"), list("cpu", "100m", "memory", "64Mi")},
	} {
		a := attempt(func(a *runner.Attempt) {
			a.Suite.Spec.Resources, a.Environment.Spec.DefaultResources, a.Environment.Spec.Limits.Resources = c.own, c.given, c.bounds
		})
		got := pods.Build(a, options).Spec.Containers[0].Resources
		if diff := cmp.Diff(corev1.ResourceRequirements{Limits: c.wantLimits, Requests: c.wantAsked}, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
