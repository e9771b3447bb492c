package main

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/deploy/world"
)

// usage is what the controller has used since it was started.
type usage struct {
	cpu      float64 // seconds
	memory   float64 // resident, MiB, now
	requests float64 // to the API server
	bytes    float64 // to and from it, watches included
}

// controllerUsage reads the controller's metrics.
func controllerUsage(ctx context.Context, w *world.World) (usage, error) {
	text, err := w.Metrics(ctx)
	if err != nil {
		return usage{}, fmt.Errorf("reading the controller's metrics: %w", err)
	}
	var u usage
	for name, value := range map[string]*float64{
		"process_cpu_seconds_total": &u.cpu, "process_resident_memory_bytes": &u.memory, "rest_client_requests_total": &u.requests,
		"assay_apiserver_bytes_total": &u.bytes,
	} {
		if *value, err = sum(text, name); err != nil {
			return usage{}, err
		}
	}
	u.memory /= 1 << 20
	return u, nil
}

// sum adds up the series of a metric.
func sum(text, name string) (total float64, err error) {
	found := false
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		rest, ours := strings.CutPrefix(lines.Text(), name)
		if !ours || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("the metric %s: %w", name, err)
		}
		total, found = total+value, true
	}
	if !found {
		return 0, fmt.Errorf("the controller's metrics lack %s", name)
	}
	return total, nil
}
