package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// again repeats one exchange with growing pauses until it succeeds, will never, or the context ends.
func again(ctx context.Context, c config, what string, exchange func(*gateway) error) error {
	g, err := newGateway(c)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer g.client.CloseIdleConnections()
	for pause := firstPause; ; pause = min(2*pause, longest) {
		err := exchange(g)
		var status *statusError
		if err == nil {
			return nil
		}
		if errors.As(err, &status) && status.final() {
			return fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

type gateway struct {
	client    *http.Client
	url       string
	tokenFile string
}

func newGateway(c config) (*gateway, error) {
	transport := &http.Transport{ // no proxy: HTTP_PROXY is the command's
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second, // the content may have to be built first
	}
	if len(c.gatewayCA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(c.gatewayCA) {
			return nil, errors.New("ASSAY_GATEWAY_CA holds no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the token is for one host
	return &gateway{client: &http.Client{Transport: transport, CheckRedirect: noRedirects}, url: c.gateway, tokenFile: c.tokenFile}, nil
}

// do sends one request with the token as it is now: the kubelet renews it.
func (g *gateway) do(ctx context.Context, method, path string, body []byte) (io.ReadCloser, error) {
	token, err := os.ReadFile(g.tokenFile)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, g.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := g.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 512)) // what of it there is
		return nil, &statusError{code: response.StatusCode, text: strings.TrimSpace(string(text))}
	}
	return response.Body, nil
}

type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the gateway answers %d: %s", e.code, e.text)
}

// final says whether asking again is pointless. A pod that the gateway does not know yet gets 401 or 403.
func (e *statusError) final() bool {
	switch e.code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusConflict:
		return true
	}
	return false
}
