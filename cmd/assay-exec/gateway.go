package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/assay-dev/assay/runner/content"
	"github.com/assay-dev/assay/runner/report"
)

const (
	// fetchFor and tellFor bound all tries together. The pod's grace at its end allows a
	// minute for telling.
	fetchFor = 2 * time.Minute
	tellFor  = 45 * time.Second
	// oneTry bounds one of them.
	oneTry = time.Minute
)

// gateway is the controller's side of the pod.
type gateway struct {
	url, tokenFile string
	client         *http.Client
}

func newGateway(s settings) (*gateway, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the suite's proxy is not for us
	if s.gatewayCA != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(s.gatewayCA)) {
			return nil, errors.New("ASSAY_GATEWAY_CA holds no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &gateway{url: strings.TrimSuffix(s.gatewayURL, "/"), tokenFile: s.tokenFile, client: &http.Client{Transport: transport}}, nil
}

// fetch unpacks the content of the digest into dir, which is empty.
func (g *gateway) fetch(ctx context.Context, digest, dir string) error {
	return g.retry(ctx, fetchFor, func(ctx context.Context) error {
		response, err := g.do(ctx, http.MethodGet, "/v1/content/"+digest, nil)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }() // it was only read from
		return content.Unpack(response.Body, dir, digest, unpackLimits)
	})
}

// tell sends the outcome. Sending it twice is a no-op.
func (g *gateway) tell(ctx context.Context, outcome report.Outcome) error {
	data := outcome.Encode(report.OutcomeBytes)
	return g.retry(ctx, tellFor, func(ctx context.Context) error {
		response, err := g.do(ctx, http.MethodPost, "/v1/outcome", data)
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
}

// do makes a request and gives a good answer. The token is read each time: the kubelet renews it.
func (g *gateway) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	token, err := os.ReadFile(g.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the pod's token: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, g.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := g.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }() // it was only read from
	var told struct {
		Error string `json:"error"`
	}
	// An answer that is not the gateway's own is told by its status alone.
	_ = json.NewDecoder(io.LimitReader(response.Body, 4<<10)).Decode(&told)
	return nil, &refused{status: response.StatusCode, message: told.Error}
}

// refused is an answer of the gateway.
type refused struct {
	status  int
	message string
}

func (r *refused) Error() string {
	return fmt.Sprintf("the gateway answers %d %s: %s", r.status, http.StatusText(r.status), r.message)
}

// retry tries until it works, the time is up, or the gateway says that it never will.
func (g *gateway) retry(ctx context.Context, within time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		one, done := context.WithTimeout(ctx, oneTry)
		err := try(one)
		done()
		var no *refused
		if err == nil || errors.As(err, &no) && no.status < http.StatusInternalServerError && no.status != http.StatusTooManyRequests {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("after %s: %w", within, err)
		case <-timer.C:
		}
	}
}
