package proof

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// SignPod puts the proof on a pod that is about to be created, with its name, labels and annotations.
func (k *Key) SignPod(pod *corev1.Pod) {
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, v1alpha1.ProofAnnotation, k.of(wordsOf(pod)...))
}

// IsPod says whether the pod is an attempt that the controller made: everything that is read of its labels and
// annotations is as it was made.
func (k *Key) IsPod(pod *corev1.Pod) bool {
	return pod.Labels[v1alpha1.ManagedByLabel] == v1alpha1.ManagedBy &&
		k.proves(pod.Annotations[v1alpha1.ProofAnnotation], wordsOf(pod)...)
}

// wordsOf are what a pod says of itself that is believed.
func wordsOf(pod *corev1.Pod) []string {
	words := []string{"pod", pod.Namespace, pod.Name}
	for _, label := range []string{
		v1alpha1.RunNamespaceLabel, v1alpha1.RunLabel, v1alpha1.RunUIDLabel, v1alpha1.SuiteLabel, v1alpha1.AttemptLabel,
		v1alpha1.RepositoryLabel, v1alpha1.EnvironmentLabel,
	} {
		words = append(words, pod.Labels[label])
	}
	for _, annotation := range []string{
		v1alpha1.TimeoutAnnotation, v1alpha1.ContentAnnotation, v1alpha1.EnvironmentAnnotation,
	} {
		words = append(words, pod.Annotations[annotation])
	}
	return words
}

// SetOutcome notes on the pod, whose UID is known, the outcome that it told.
func (k *Key) SetOutcome(pod *corev1.Pod, outcome string) {
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, v1alpha1.OutcomeAnnotation, outcome)
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, v1alpha1.OutcomeProofAnnotation, k.of(wordsOfOutcome(pod, outcome)...))
}

// Outcome gives the outcome that the gateway noted on the pod; false when there is none, or somebody else wrote it.
func (k *Key) Outcome(pod *corev1.Pod) (string, bool) {
	outcome, ok := pod.Annotations[v1alpha1.OutcomeAnnotation]
	return outcome, ok && k.proves(pod.Annotations[v1alpha1.OutcomeProofAnnotation], wordsOfOutcome(pod, outcome)...)
}

func wordsOfOutcome(pod *corev1.Pod, outcome string) []string {
	return []string{"outcome", string(pod.UID), outcome}
}
