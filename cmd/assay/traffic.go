package main

import (
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var apiServerBytes = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "assay_apiserver_bytes_total",
	Help: "Bytes of the bodies of requests sent to the API server, and of answers read from it, watches included.",
}, []string{"direction"})

func init() { metrics.Registry.MustRegister(apiServerBytes) }

// traffic counts what goes to the API server and comes from it.
type traffic struct{ next http.RoundTripper }

func countTraffic(next http.RoundTripper) http.RoundTripper { return traffic{next} }

// RoundTrip implements http.RoundTripper.
func (t traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength > 0 {
		apiServerBytes.WithLabelValues("sent").Add(float64(r.ContentLength))
	}
	response, err := t.next.RoundTrip(r)
	if err == nil {
		response.Body = counted{response.Body, apiServerBytes.WithLabelValues("received")}
	}
	return response, err
}

// counted is a body whose bytes are counted as they are read.
type counted struct {
	io.ReadCloser
	bytes prometheus.Counter
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Add(float64(n))
	return n, err
}
