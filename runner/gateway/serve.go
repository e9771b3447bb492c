package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type gateway struct {
	client   client.Client
	cache    client.Reader
	reviewer authenticationv1.TokenReviewInterface
	content  Content
	options  Options
	places   chan struct{}
}

// refusal is an error with what the pod is told of it. The cause stays in the log.
type refusal struct {
	status  int
	message string
	cause   error
}

func (r *refusal) Error() string { return r.message }
func (r *refusal) Unwrap() error { return r.cause }

// serve takes a place, finds out which pod is asking, and lets it be handled.
func (g *gateway) serve(handle func(http.ResponseWriter, *http.Request, *corev1.Pod) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !g.enter(r) {
			w.Header().Set("Retry-After", "5")
			answer(w, r, &refusal{status: http.StatusServiceUnavailable, message: "too many requests at the same time: try again"})
			return
		}
		defer func() { <-g.places }()
		pod, err := g.identify(r)
		if err == nil {
			err = handle(w, r, pod)
		}
		if err != nil {
			answer(w, r, err)
		}
	}
}

func (g *gateway) enter(r *http.Request) bool {
	wait := time.NewTimer(g.options.Wait)
	defer wait.Stop()
	select {
	case g.places <- struct{}{}:
		return true
	case <-wait.C:
	case <-r.Context().Done():
	}
	return false
}

// answer tells the pod what was refused, in one line of JSON, and logs what it is not told.
func answer(w http.ResponseWriter, r *http.Request, err error) {
	told := &refusal{status: http.StatusInternalServerError, message: "the gateway failed: try again"}
	errors.As(err, &told)
	if told.status >= http.StatusInternalServerError {
		ctrl.LoggerFrom(r.Context()).WithName("gateway").Error(err, "request failed", "path", r.URL.Path, "status", told.status)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(told.status)
	// The connection may be gone; then nobody is left to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"error": told.message})
}
