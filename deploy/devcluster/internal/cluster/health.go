package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startLimit is how long one component may take to work; on a quiet machine none needs ten seconds.
const startLimit = 2 * time.Minute

// Check says what is wrong with the cluster, nil if nothing is.
func (c Cluster) Check(ctx context.Context) error {
	for _, name := range append(append([]string{}, foundation...), rest...) {
		if !c.Group.Alive(c.pid(name)) {
			return fmt.Errorf("%s does not run: see %s", name, c.logFile(name))
		}
	}
	return errors.Join(
		c.checkAPIServer(ctx),
		c.checkNode(ctx, time.Time{}),
		c.checkDefaultAccount(ctx),
		c.checkPlain(ctx, "kube-proxy", ":10256/healthz"),
		c.checkPlain(ctx, "coredns", ":8181/ready"),
	)
}

// Component is one daemon in the answer of Components.
type Component struct {
	Name  string
	Alive bool
	Log   string
}

// Components lists the daemons, for people.
func (c Cluster) Components() []Component {
	var list []Component
	for _, name := range append(append([]string{}, foundation...), rest...) {
		list = append(list, Component{Name: name, Alive: c.Group.Alive(c.pid(name)), Log: c.logFile(name)})
	}
	return list
}

func (c Cluster) logFile(name string) string { return filepath.Join(c.Log, name+".log") }

// wait repeats a check until it passes. It ends early when the daemon that it waits for has died.
func (c Cluster) wait(ctx context.Context, daemon string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if !c.Group.Alive(c.pid(daemon)) {
			return fmt.Errorf("%s ended: the last lines of %s:\n%s", daemon, c.logFile(daemon), tail(c.logFile(daemon)))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: the last lines of %s:\n%s", daemon, err, c.logFile(daemon), tail(c.logFile(daemon)))
		case <-tick.C:
		}
	}
}

func (c Cluster) checkAPIServer(ctx context.Context) error {
	_, err := c.get(ctx, "/readyz")
	return err
}

// checkNode wants a node that is Ready and whose kubelet has reported after since: a restarted cluster remembers a Ready
// from before, and the kubelet repeats an unchanged condition only every five minutes, but its lease every ten seconds.
func (c Cluster) checkNode(ctx context.Context, since time.Time) error {
	var lease struct {
		Spec struct{ RenewTime time.Time }
	}
	if err := c.getJSON(ctx, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/"+c.Name, &lease); err != nil {
		return err
	}
	if lease.Spec.RenewTime.Before(since) {
		return fmt.Errorf("node %s has not reported yet", c.Name)
	}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := c.getJSON(ctx, "/api/v1/nodes/"+c.Name, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" {
			if condition.Status == "True" {
				return nil
			}
			return fmt.Errorf("node %s is not ready: %s", c.Name, condition.Message)
		}
	}
	return fmt.Errorf("node %s has no Ready condition yet", c.Name)
}

// checkDefaultAccount is the last thing that a pod in the default namespace waits for.
func (c Cluster) checkDefaultAccount(ctx context.Context) error {
	_, err := c.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default")
	return err
}

func (c Cluster) checkPlain(ctx context.Context, name, path string) error {
	if _, err := fetch(ctx, http.DefaultTransport, "http://"+c.Node.Address.String()+path); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (c Cluster) getJSON(ctx context.Context, path string, into any) error {
	body, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// get asks the API server as the administrator.
func (c Cluster) get(ctx context.Context, path string) ([]byte, error) {
	authority, err := os.ReadFile(filepath.Join(c.PKI, "ca.crt"))
	if err != nil {
		return nil, err
	}
	client, err := tls.LoadX509KeyPair(filepath.Join(c.PKI, "admin.crt"), filepath.Join(c.PKI, "admin.key"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{client}}}
	defer transport.CloseIdleConnections()
	return fetch(ctx, transport, c.Server()+path)
}

func fetch(ctx context.Context, transport http.RoundTripper, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %.200s", url, response.Status, body)
	}
	return body, nil
}

// tail is the end of a log, for an error message.
func tail(path string) string {
	content, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
