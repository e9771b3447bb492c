package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/runner/report"
)

// readTimeout is how long a pod may take to send its outcome of a few kilobytes.
const readTimeout = 30 * time.Second

// postOutcome writes what the pod says of itself to its annotation. The first outcome stands:
// a second one is taken for a repetition, and changes nothing.
func (g *gateway) postOutcome(w http.ResponseWriter, r *http.Request, from caller) error {
	outcome, err := readOutcome(w, r)
	if err != nil {
		return err
	}
	free, err := g.places.take(r.Context(), from.pod.Namespace)
	if err != nil {
		return err
	}
	defer free()
	if err := g.annotate(r.Context(), from.pod, string(outcome.Encode(report.OutcomeBytes))); apierrors.IsNotFound(err) {
		return notOurs
	} else if err != nil {
		return fmt.Errorf("writing the outcome of the pod %s/%s: %w", from.pod.Namespace, from.pod.Name, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readOutcome reads the body, before a place is taken for it: a pod may be slow, and keeps nobody but itself waiting.
func readOutcome(w http.ResponseWriter, r *http.Request) (report.Outcome, error) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return report.Outcome{}, fmt.Errorf("setting a deadline: %w", err)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, report.OutcomeBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return report.Outcome{}, &refusal{status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("an outcome has at most %d bytes", report.OutcomeBytes)}
	}
	if err != nil {
		return report.Outcome{}, &refusal{status: http.StatusBadRequest, message: "the outcome did not arrive", cause: err}
	}
	outcome, err := report.DecodeOutcome(data)
	if err != nil {
		return report.Outcome{}, &refusal{status: http.StatusBadRequest, message: err.Error(), cause: err}
	}
	return outcome, nil
}

// annotate writes the outcome unless there is one. The lock keeps two outcomes that arrive together from replacing each
// other; the kubelet writes to the pod as well, so a conflict is looked into and tried again.
func (g *gateway) annotate(ctx context.Context, pod *corev1.Pod, outcome string) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if _, stands := g.key.Outcome(pod); stands {
			return nil
		}
		before := pod.DeepCopy()
		g.key.SetOutcome(pod, outcome)
		err := g.client.Patch(ctx, pod, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if !apierrors.IsConflict(err) {
			return err
		}
		*pod = corev1.Pod{}
		if err := g.client.Get(ctx, client.ObjectKeyFromObject(before), pod); err != nil {
			return err
		}
		if pod.UID != before.UID {
			return apierrors.NewNotFound(corev1.Resource("pods"), before.Name)
		}
		return err
	})
}
