package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/assay-dev/assay/runner/content"
	"github.com/assay-dev/assay/runner/report"
)

// How long the gateway is asked again. It may be starting, or not know the pod yet. telling stays below the time that
// the pod has after its command: see TellGrace in package runner.
const (
	fetching   = 2 * time.Minute
	telling    = 40 * time.Second
	firstPause = 250 * time.Millisecond
	longest    = 8 * time.Second
)

// fetch gets the content and unpacks it into the workspace.
func fetch(ctx context.Context, c config) error {
	if c.content == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetching)
	defer cancel()
	return again(ctx, c, "the content cannot be fetched", func(g *gateway) error {
		body, err := g.do(ctx, http.MethodGet, "/v1/content/"+c.content, nil)
		if err != nil {
			return err
		}
		defer body.Close()
		return content.Unpack(body, c.workspace, c.content, content.Limits{})
	})
}

// tell sends the outcome.
func tell(c config, o report.Outcome) error {
	if c.gateway == "" || c.tokenFile == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), telling)
	defer cancel()
	data := o.Encode(report.OutcomeBytes)
	return again(ctx, c, "the outcome cannot be told", func(g *gateway) error {
		body, err := g.do(ctx, http.MethodPost, "/v1/outcome", data)
		if err != nil {
			return err
		}
		return body.Close()
	})
}

// writeTermination leaves a copy with the kubelet, for when the gateway cannot be reached. The file is the kubelet's:
// without one, as in a shell, nothing is written.
func writeTermination(file string, o report.Outcome) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			say("%v", err)
		}
		return
	}
	_, err = f.Write(o.Encode(report.TerminationBytes))
	if err := errors.Join(err, f.Close()); err != nil {
		say("%v", err)
	}
}
