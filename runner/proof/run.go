package proof

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// SignRun puts the proof on a run that is about to be created, with its name and spec.
func (k *Key) SignRun(run *v1alpha1.TestRun) {
	metav1.SetMetaDataAnnotation(&run.ObjectMeta, v1alpha1.ProofAnnotation, k.of(wordsOfRun(run)...))
}

// IsRun says whether the run is of the cause that it names. Of causes that are the controller's own it believes those
// that it made, with the spec that they have, and those that are older than the key. Anybody may name the others.
func (k *Key) IsRun(run *v1alpha1.TestRun) bool {
	return !run.Spec.Cause.Type.Rules().Proved ||
		!run.CreationTimestamp.IsZero() && run.CreationTimestamp.Time.Before(k.Since) ||
		k.proves(run.Annotations[v1alpha1.ProofAnnotation], wordsOfRun(run)...)
}

// wordsOfRun are what a run says of itself that is believed: all of its spec but spec.cancel, which anybody may set. A
// field that is added to the spec has to be left out while it is empty, so that runs under way stay proved.
func wordsOfRun(run *v1alpha1.TestRun) []string {
	spec := run.Spec
	spec.Cancel = false
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err) // it holds nothing that could not be written
	}
	return []string{"run", run.Namespace, run.Name, string(text)}
}
