package proof_test

import (
	"bytes"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/proof"
)

var key = proof.Must(bytes.Repeat([]byte{1}, proof.KeyBytes))

func signed() *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop-staging", Name: "api-1-0123", UID: "u",
		Labels: map[string]string{
			v1alpha1.ManagedByLabel: v1alpha1.ManagedBy, v1alpha1.RunNamespaceLabel: "shop", v1alpha1.RunLabel: "run",
			v1alpha1.RunUIDLabel: "r", v1alpha1.SuiteLabel: "api", v1alpha1.AttemptLabel: "1",
			v1alpha1.RepositoryLabel: "shop", v1alpha1.EnvironmentLabel: "staging",
		},
		Annotations: map[string]string{
			v1alpha1.TimeoutAnnotation: "10m0s", v1alpha1.ContentAnnotation: "sha256:0", v1alpha1.EnvironmentAnnotation: "1",
		},
	}}
	key.SignPod(pod)
	return pod
}

func TestIsPod(t *testing.T) {
	changes := map[string]func(*corev1.Pod){
		"another name":      func(p *corev1.Pod) { p.Name += "x" },
		"another namespace": func(p *corev1.Pod) { p.Namespace += "x" },
		"no proof":          func(p *corev1.Pod) { delete(p.Annotations, v1alpha1.ProofAnnotation) },
		"an empty proof":    func(p *corev1.Pod) { p.Annotations[v1alpha1.ProofAnnotation] = "" },
		"a letter between two labels": func(p *corev1.Pod) {
			p.Labels[v1alpha1.RunNamespaceLabel], p.Labels[v1alpha1.RunLabel] = "shopr", "un"
		},
		"another's key": func(p *corev1.Pod) { proof.Must(bytes.Repeat([]byte{2}, proof.KeyBytes)).SignPod(p) },
	}
	for label := range signed().Labels {
		changes["another value of "+label] = func(p *corev1.Pod) { p.Labels[label] += "x" }
	}
	for annotation := range signed().Annotations {
		changes["another value of "+annotation] = func(p *corev1.Pod) { p.Annotations[annotation] += "x" }
	}
	for name, change := range changes {
		pod := signed()
		change(pod)
		if key.IsPod(pod) {
			t.Errorf("%s: it is taken for the controller's", name)
		}
	}
	pod := signed()
	pod.Labels["team"], pod.Annotations["mesh"] = "payments", "off" // what a cluster's own webhooks add
	if !key.IsPod(pod) {
		t.Error("the controller's own pod is not known")
	}
}

func TestOutcome(t *testing.T) {
	pod := signed()
	if text, ok := key.Outcome(pod); ok {
		t.Errorf("without one: %q", text)
	}
	key.SetOutcome(pod, `{"exitCode":1}`)
	if text, ok := key.Outcome(pod); !ok || text != `{"exitCode":1}` {
		t.Errorf("got %q, %v", text, ok)
	}
	for name, change := range map[string]func(*corev1.Pod){
		"edited":            func(p *corev1.Pod) { p.Annotations[v1alpha1.OutcomeAnnotation] = `{"exitCode":0}` },
		"of another pod":    func(p *corev1.Pod) { p.UID = "v" },
		"without its proof": func(p *corev1.Pod) { delete(p.Annotations, v1alpha1.OutcomeProofAnnotation) },
		"proved as a pod": func(p *corev1.Pod) {
			p.Annotations[v1alpha1.OutcomeProofAnnotation] = p.Annotations[v1alpha1.ProofAnnotation]
		},
	} {
		forged := pod.DeepCopy()
		change(forged)
		if text, ok := key.Outcome(forged); ok {
			t.Errorf("%s: %q is believed", name, text)
		}
	}
}

func TestNewKey(t *testing.T) {
	if _, err := proof.NewKey(make([]byte, proof.KeyBytes-1)); err == nil {
		t.Error("a short key is taken")
	}
	if a, b := proof.NewSecret(), proof.NewSecret(); bytes.Equal(a, b) || len(a) != proof.KeyBytes {
		t.Errorf("secrets %x and %x", a, b)
	}
}
