package webhook

import (
	"net/http"
	"time"
)

// NewServer gives the server of a handler, with bounds for clients that are slow on purpose.
func NewServer(address string, handler *Handler) *http.Server {
	mux := http.NewServeMux()
	mux.Handle(Path+"{namespace}/{name}", handler)
	mux.Handle("/", handler) // is refused like any other
	return &http.Server{
		Addr: address, Handler: mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      45 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}
