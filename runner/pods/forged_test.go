package pods_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/pods"
)

// TestForgedPods: what somebody made who may create pods, in whatever namespace and with whatever labels, is no attempt:
// it is not listed, takes no place, and is not stopped in the controller's name.
func TestForgedPods(t *testing.T) {
	a := attempt(nil)
	genuine := pods.Build(a, options)
	for _, c := range []struct {
		name  string
		forge func(*corev1.Pod)
	}{
		{"with everything but the proof", func(p *corev1.Pod) { delete(p.Annotations, v1alpha1.ProofAnnotation) }},
		{"with the proof, in another namespace", func(p *corev1.Pod) { p.Namespace = "theirs" }},
		{"with the proof, under another name", func(p *corev1.Pod) { p.Name += "-2" }},
		{"with the proof of another attempt", func(p *corev1.Pod) { p.Labels[v1alpha1.AttemptLabel] = "2" }},
		{"with another's content", func(p *corev1.Pod) { p.Annotations[v1alpha1.ContentAnnotation] = "sha256:theirs" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			forged := genuine.DeepCopy()
			forged.Status.Phase = corev1.PodRunning
			c.forge(forged)
			cluster, e := executor(forged)
			if list, err := e.List(t.Context(), a.Run); err != nil || len(list) > 0 {
				t.Errorf("List: %+v, %v", list, err)
			}
			if used, err := e.Used(t.Context(), a.Environment); err != nil || len(used) != 0 {
				t.Errorf("Used: %v, %v", used, err)
			}
			if err := e.Stop(t.Context(), a.Run, forged.Name); err != nil {
				t.Errorf("Stop: %v", err)
			}
			if err := cluster.Get(t.Context(), client.ObjectKeyFromObject(forged), &corev1.Pod{}); err != nil {
				t.Errorf("it was removed: %v", err)
			}
			if forged.Name == genuine.Name && forged.Namespace == genuine.Namespace {
				if err := e.Start(t.Context(), a); fault.ReasonOf(err) != fault.Conflict {
					t.Errorf("Start takes it for its own: %v", err)
				}
			}
		})
	}
	t.Run("with everything, in the place of the pod that was created", func(t *testing.T) {
		cluster, e := executor()
		if err := e.Start(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		first := &corev1.Pod{}
		if err := cluster.Get(t.Context(), client.ObjectKeyFromObject(genuine), first); err != nil {
			t.Fatal(err)
		}
		second := first.DeepCopy()
		second.ObjectMeta = metav1.ObjectMeta{Namespace: first.Namespace, Name: first.Name, UID: "second", Labels: first.Labels, Annotations: first.Annotations}
		if err := cluster.Delete(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Create(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if list, err := e.List(t.Context(), a.Run); err != nil || len(list) > 0 {
			t.Errorf("List: %+v, %v", list, err)
		}
	})
}

// executor gives one on a cluster in memory with these pods, whose UIDs are given out as the API server does.
func executor(there ...client.Object) (client.Client, *pods.Executor) {
	b := fake.NewClientBuilder().WithObjects(there...)
	for name, values := range pods.Indices() {
		b = b.WithIndex(&corev1.Pod{}, name, values)
	}
	cluster := b.Build()
	return cluster, pods.New(cluster, cluster, options)
}
