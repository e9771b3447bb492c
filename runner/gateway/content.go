package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// getContent sends the tar that the pod's own annotation names; any other digest is refused.
func (g *gateway) getContent(w http.ResponseWriter, r *http.Request, pod *corev1.Pod) (err error) {
	digest := r.PathValue("digest")
	if digest == "" || digest != pod.Annotations[v1alpha1.ContentAnnotation] {
		return &refusal{status: http.StatusForbidden, message: "this is not the content of the token's pod"}
	}
	key := types.NamespacedName{Namespace: pod.Labels[v1alpha1.RunNamespaceLabel], Name: pod.Labels[v1alpha1.RunLabel]}
	run, err := read[v1alpha1.TestRun](r.Context(), g, key, types.UID(pod.Labels[v1alpha1.RunUIDLabel]))
	if errors.Is(err, errGone) {
		return &refusal{status: http.StatusNotFound, message: "the run is gone"}
	} else if err != nil {
		return err
	}
	tar, err := g.content.Open(r.Context(), run, pod.Labels[v1alpha1.SuiteLabel], digest)
	if err != nil {
		return unavailable(err)
	}
	defer func() { err = errors.Join(err, tar.Close()) }()
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(g.options.ContentTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("setting a deadline: %w", err)
	}
	w.Header().Set("Content-Type", "application/x-tar")
	if _, err := io.Copy(w, tar); err != nil {
		// The head is sent: cutting the connection is the only way to say that the rest is missing.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// unavailable says whether it is worth trying again.
func unavailable(err error) error {
	if fault.Of(err) == fault.User {
		return &refusal{status: http.StatusNotFound, message: "the content cannot be made again: " + fault.Summary(err), cause: err}
	}
	return &refusal{status: http.StatusServiceUnavailable, message: "the content is not at hand: try again", cause: err}
}
