package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestPlacesAreSharedOut: one pod, or all pods of one namespace, hold as many as they like, and others are served.
func TestPlacesAreSharedOut(t *testing.T) {
	p := newPlaces(8, 50*time.Millisecond)
	for range ofPod {
		if _, err := p.greet("greedy"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.greet("greedy"); status(err) != http.StatusTooManyRequests {
		t.Errorf("a pod has another place: %v", err)
	}
	leave, err := p.greet("modest")
	if err != nil {
		t.Fatalf("another pod has none: %v", err)
	}
	leave()
	if len(p.pods) != 1 {
		t.Errorf("pods that are gone are remembered: %v", p.pods)
	}

	var free []func()
	for range 2 { // a quarter of 8
		f, err := p.take(t.Context(), "greedy")
		if err != nil {
			t.Fatal(err)
		}
		free = append(free, f)
	}
	if _, err := p.take(t.Context(), "greedy"); !errors.Is(err, busy) {
		t.Errorf("a namespace has another place: %v", err)
	}
	f, err := p.take(t.Context(), "modest")
	if err != nil {
		t.Fatalf("another namespace has none: %v", err)
	}
	f()
	waits := make(chan error)
	p.wait = time.Minute
	go func() {
		f, err := p.take(context.Background(), "greedy")
		if err == nil {
			f()
		}
		waits <- err
	}()
	free[0]()
	if err := <-waits; err != nil {
		t.Errorf("a place that came free is not given on: %v", err)
	}
	free[1]()
	if len(p.namespaces) != 0 {
		t.Errorf("namespaces that are gone are remembered: %v", p.namespaces)
	}
}

func status(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

// TestWhoReadsSlowlyIsCutOff: writing to a pod that does not read ends with the deadline of the whole, or of a chunk.
func TestWhoReadsSlowlyIsCutOff(t *testing.T) {
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		paced := &pacedWriter{w, http.NewResponseController(w), time.Now().Add(100 * time.Millisecond)}
		_, err := io.CopyBuffer(paced, struct{ io.Reader }{endless{}}, make([]byte, chunkBytes))
		ended <- err
	}))
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("it goes on for ever")
	}
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
