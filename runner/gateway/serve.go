package gateway

import (
	"encoding/json"
	"errors"
	"net/http"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/runner/proof"
)

type gateway struct {
	client  client.Client
	cache   client.Reader
	tokens  authenticator.Token
	key     *proof.Key
	content Content
	options Options
	places  *places
}

// refusal is an error with what the pod is told of it. The cause stays in the log.
type refusal struct {
	status  int
	message string
	cause   error
}

func (r *refusal) Error() string { return r.message }
func (r *refusal) Unwrap() error { return r.cause }

// serve finds out which pod is asking, and lets it be handled.
func (g *gateway) serve(handle func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := g.admit(w, r, handle); err != nil {
			answer(w, r, err)
		}
	}
}

func (g *gateway) admit(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request, caller) error) error {
	from, err := g.identify(r)
	if err != nil {
		return err
	}
	leave, err := g.places.greet(from.pod.UID)
	if err != nil {
		return err
	}
	defer leave()
	return handle(w, r, from)
}

// answer tells the pod what was refused, in one line of JSON, and logs what it is not told.
func answer(w http.ResponseWriter, r *http.Request, err error) {
	told := &refusal{status: http.StatusInternalServerError, message: "the gateway failed: try again"}
	errors.As(err, &told)
	if told.status >= http.StatusInternalServerError && told != busy {
		ctrl.LoggerFrom(r.Context()).WithName("gateway").Error(err, "request failed", "path", r.URL.Path, "status", told.status)
	}
	if told.status == http.StatusServiceUnavailable || told.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(told.status)
	// The connection may be gone; then nobody is left to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"error": told.message})
}
