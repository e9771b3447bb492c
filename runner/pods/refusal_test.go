package pods_test

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner/pods"
)

// TestRefusals: answers that are hard to get from a real API server at will; the usual ones are tried with one.
func TestRefusals(t *testing.T) {
	answer := func(s metav1.Status) error { return &apierrors.StatusError{ErrStatus: s} }
	for _, c := range []struct {
		name   string
		answer error
		want   fault.Reason
		kind   fault.Kind
	}{
		{"Pod Security forbids it", answer(forbidden), fault.PodRefused, fault.User},
		{"the quota is full", answer(quota), fault.RateLimited, fault.Transient},
		{"the pod is not valid", answer(invalid), fault.PodRefused, fault.User},
		{"the namespace is not there", answer(noNamespace), fault.PodRefused, fault.User},
		{"the API server is not there", answer(unavailable), fault.HostFailed, fault.Transient},
		{"the connection breaks", errBroken, fault.HostFailed, fault.Transient},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
				Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return c.answer },
			})
			err := pods.New(cl, cl, options).Start(t.Context(), attempt(nil))
			if fault.ReasonOf(err) != c.want || fault.Of(err) != c.kind {
				t.Errorf("got %s %s: %v", fault.ReasonOf(err), fault.Of(err), err)
			}
		})
	}
}
