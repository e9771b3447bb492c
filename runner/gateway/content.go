package gateway

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// A pod that reads slowly is cut off: it has stallTimeout for each chunk of chunkBytes, 50 KiB a second.
const (
	chunkBytes   = 256 << 10
	stallTimeout = 5 * time.Second
)

// getContent sends the tar that the pod was made for; any other digest is refused.
func (g *gateway) getContent(w http.ResponseWriter, r *http.Request, from caller) (err error) {
	digest := r.PathValue("digest")
	if digest == "" || digest != from.pod.Annotations[v1alpha1.ContentAnnotation] {
		return &refusal{status: http.StatusForbidden, message: "this is not the content of the token's pod"}
	}
	free, err := g.places.take(r.Context(), from.pod.Namespace)
	if err != nil {
		return err
	}
	defer free()
	tar, err := g.content.Open(r.Context(), from.run, from.pod.Labels[v1alpha1.SuiteLabel], digest)
	if err != nil {
		return unavailable(err)
	}
	defer func() { err = errors.Join(err, tar.Close()) }()
	w.Header().Set("Content-Type", "application/x-tar")
	paced := &pacedWriter{w, http.NewResponseController(w), time.Now().Add(g.options.ContentTimeout)}
	// Neither side may take the copying over, as each chunk has its own deadline.
	if _, err := io.CopyBuffer(paced, struct{ io.Reader }{tar}, make([]byte, chunkBytes)); err != nil {
		// The head is sent: cutting the connection is the only way to say that the rest is missing.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// pacedWriter gives each write its deadline, and all of them one at the end.
type pacedWriter struct {
	w       io.Writer
	control *http.ResponseController
	end     time.Time
}

func (p *pacedWriter) Write(data []byte) (int, error) {
	deadline := time.Now().Add(stallTimeout)
	if deadline.After(p.end) {
		deadline = p.end
	}
	if err := p.control.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(data)
}

// unavailable says whether it is worth trying again.
func unavailable(err error) error {
	if fault.Of(err) == fault.User {
		return &refusal{status: http.StatusNotFound, message: "the content cannot be made again: " + fault.Summary(err), cause: err}
	}
	return &refusal{status: http.StatusServiceUnavailable, message: "the content is not at hand: try again", cause: err}
}
