package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/fluxcd/pkg/runtime/secrets"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	// Path of the receiver, without namespace and name.
	Path = "/hook/"
	// maxBody is Flux's bound of a payload.
	maxBody = 3 << 20
)

// Options configures a [Handler]. Its zero value is fit for use.
type Options struct {
	// RefuseAfter is when a request is refused, counted from its arrival, so that the time
	// tells nothing. Looking up a Secret may take three quarters of it. Default: 1 s.
	RefuseAfter time.Duration
	// Concurrent is how many Secrets are looked up at once; more requests are asked to come
	// back. Default: 64.
	Concurrent int
}

// Handler receives webhooks.
type Handler struct {
	repositories, secrets client.Reader
	poke                  func(types.NamespacedName)
	options               Options
	slots                 chan struct{}
	// nobodys is the key of repositories that have none.
	nobodys []byte
}

// New gives a handler that looks repositories up in one reader, which should be a cache, and
// Secrets in another, which should not, and should have a limit of its own: everybody can
// have one read. poke must not block.
func New(repositories, secrets client.Reader, poke func(types.NamespacedName), options Options) *Handler {
	if options.RefuseAfter == 0 {
		options.RefuseAfter = time.Second
	}
	if options.Concurrent == 0 {
		options.Concurrent = 64
	}
	return &Handler{
		repositories: repositories, secrets: secrets, poke: poke, options: options,
		slots: make(chan struct{}, options.Concurrent), nobodys: []byte(rand.Text()),
	}
}

// ServeHTTP answers 202 to whoever knows the secret of the repository, and 404 to everybody
// else.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	select {
	case h.slots <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
		return
	}
	key, named := repositoryOf(r)
	token, err := h.token(r.Context(), key)
	<-h.slots
	if err == nil && !named {
		err = errors.New("not a request for a repository")
	}
	if err = h.check(w, r, token, err); err == nil {
		h.poke(key)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "accepted\n")
		return
	}
	ctrl.LoggerFrom(r.Context()).V(1).Info("webhook refused", "repository", key, "why", err.Error())
	wait := time.NewTimer(time.Until(arrived.Add(h.options.RefuseAfter)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-r.Context().Done():
	}
	if errors.As(err, new(*http.MaxBytesError)) {
		http.Error(w, "the payload is too large", http.StatusRequestEntityTooLarge)
		return
	}
	http.Error(w, "not found", http.StatusNotFound)
}

var errProof = errors.New("no header of the request proves that the sender knows the token")

// check says why a request is refused. It does the same work whether there is a token or, for
// the reason that unknown gives, none.
func (h *Handler) check(w http.ResponseWriter, r *http.Request, token []byte, unknown error) error {
	if unknown != nil {
		token = h.nobodys
	}
	mac := hmac.New(sha256.New, token)
	_, err := io.Copy(mac, http.MaxBytesReader(w, r.Body, maxBody))
	proven := proves(r.Header, token, mac.Sum(nil))
	switch {
	case err != nil:
		return err
	case unknown != nil:
		return unknown
	case !proven:
		return errProof
	}
	return nil
}

func repositoryOf(r *http.Request) (types.NamespacedName, bool) {
	key := types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
	return key, r.Method == http.MethodPost && key.Namespace != "" && key.Name != ""
}

// token gives the secret of the repository; there is an error where it has none.
func (h *Handler) token(ctx context.Context, key types.NamespacedName) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, h.options.RefuseAfter/4*3)
	defer cancel()
	var repo v1alpha1.TestRepository
	if err := h.repositories.Get(ctx, key, &repo); err != nil {
		return nil, err
	}
	if repo.Spec.Webhook == nil {
		return nil, errors.New("spec.webhook is not set")
	}
	var secret corev1.Secret
	if err := h.secrets.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: repo.Spec.Webhook.SecretRef.Name}, &secret); err != nil {
		return nil, err
	}
	token := secret.Data[secrets.KeyToken]
	if len(token) == 0 {
		return nil, errors.New("the Secret has no token")
	}
	return token, nil
}
