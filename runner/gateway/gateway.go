// Package gateway is the HTTP server that test pods talk to: content by digest out, outcomes in.
//
// A request carries the pod's projected token (audience [Audience]). The gateway asks the API server whose it is
// (TokenReview), looks the pod up, has it proved that the controller made it, and gives it the content that it was made
// for and nothing else; what a pod reports is written to that pod's annotation, with a proof. It knows nothing of Git or forges: [Content] brings the bytes.
package gateway

import (
	"context"
	"io"
	"net/http"
	"time"

	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/proof"
)

// Audience of the projected tokens.
const Audience = "assay-gateway"

// Content brings the content of a suite of a run, rebuilding it when it is not at hand. It can be called concurrently.
// A digest that is no longer what the run's suite has is a fault (ContentFailed).
type Content interface {
	Open(ctx context.Context, run *v1alpha1.TestRun, suite, digest string) (io.ReadCloser, error)
}

// Options of the gateway. The zero value means the defaults.
type Options struct {
	// Concurrency is how many requests are served at the same time, a quarter of them for the pods of one namespace at
	// most; others wait for up to Wait, then get 503. Default 64.
	Concurrency int
	// Wait for a free place. Default 10s.
	Wait time.Duration
	// ContentTimeout bounds sending one content. Default 5m.
	ContentTimeout time.Duration
}

// New gives the handler of GET /v1/content/{digest} and POST /v1/outcome. Pods and runs are looked up in the cache, and
// by the client, which must not be a cache, where it does not know them: a pod may have been created a moment ago. The
// client patches pods; the key is that of who makes them.
func New(c client.Client, cache client.Reader, reviews authenticationv1.TokenReviewInterface, key *proof.Key, content Content, o Options) http.Handler {
	if o.Concurrency == 0 {
		o.Concurrency = 64
	}
	if o.Wait == 0 {
		o.Wait = 10 * time.Second
	}
	if o.ContentTimeout == 0 {
		o.ContentTimeout = 5 * time.Minute
	}
	g := &gateway{
		client: c, cache: cache, tokens: newTokens(reviews), key: key, content: content, options: o,
		places: newPlaces(o.Concurrency, o.Wait),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/content/{digest}", g.serve(g.getContent))
	mux.HandleFunc("POST /v1/outcome", g.serve(g.postOutcome))
	return mux
}
