package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/deploy/devcluster/image"
	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
)

// Up brings the cluster to a healthy state and returns when a pod could be scheduled. A healthy cluster is left alone. One
// that was complete once is restarted with its data; the remains of an `up` that never got to its end are wiped first.
// The shared network must exist.
func (c Cluster) Up(ctx context.Context, tools Tools, out io.Writer) error {
	if exists(c.complete()) && c.Check(ctx) == nil {
		return nil
	}
	if err := c.stop(ctx); err != nil {
		return err
	}
	if !exists(c.complete()) {
		if err := os.RemoveAll(c.Folder); err != nil {
			return err
		}
	}
	started := time.Now()
	if err := c.prepare(ctx, started); err != nil {
		return err
	}
	steps := []struct {
		say string
		do  func(context.Context) error
	}{
		{"starting etcd, containerd and the API server", func(context.Context) error { return c.startAll(foundation, tools) }},
		{"", func(ctx context.Context) error { return c.loadPause(ctx, tools) }},
		{"waiting for the API server", func(ctx context.Context) error { return c.wait(ctx, "kube-apiserver", c.checkAPIServer) }},
		{"starting the other components", func(context.Context) error { return c.startAll(rest, tools) }},
		{"", func(ctx context.Context) error { return c.apply(ctx, tools) }},
		{"waiting for the node", func(ctx context.Context) error {
			return c.wait(ctx, "kubelet", func(ctx context.Context) error { return c.checkNode(ctx, started) })
		}},
		{"", func(ctx context.Context) error { return c.wait(ctx, "kube-proxy", c.Check) }},
	}
	for _, step := range steps {
		if step.say != "" {
			fmt.Fprintf(out, "%5.1fs %s\n", time.Since(started).Seconds(), step.say)
		}
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return os.WriteFile(c.complete(), nil, 0o644)
}

// prepare makes everything that the daemons find when they start.
func (c Cluster) prepare(ctx context.Context, now time.Time) error {
	for _, folder := range []string{c.PKI, c.Etc, c.Data, c.Log, c.Run} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if err := c.certificates(now); err != nil {
		return err
	}
	if err := c.configure(); err != nil {
		return err
	}
	loadModules(ctx)
	if err := c.Group.Create(); err != nil {
		return err
	}
	return network.EnsureNode(ctx, c.Plan, c.Node)
}

// loadModules asks for what a distribution's kernel has as modules. A kernel with everything built in has none to load;
// what is really missing is then reported by the component that needs it.
func loadModules(ctx context.Context) {
	for _, module := range []string{"overlay", "br_netfilter", "nf_tables", "nft_chain_nat"} {
		_ = exec.CommandContext(ctx, "modprobe", "-q", module).Run()
	}
}

func (c Cluster) startAll(names []string, tools Tools) error {
	for _, name := range names {
		if err := c.start(name, tools); err != nil {
			return err
		}
	}
	return nil
}

// loadPause gives the cluster the one image that it can't do without.
func (c Cluster) loadPause(ctx context.Context, tools Tools) error {
	tar := filepath.Join(c.Data, "pause.tar")
	err := image.Write(tar, image.Spec{
		Tag:        c.PauseImage(),
		Files:      []image.File{{Path: "/pause", Source: filepath.Join(tools.Pause, "pause"), Mode: 0o755}},
		Entrypoint: []string{"/pause"},
		User:       "65535:65535",
	})
	if err != nil {
		return err
	}
	if err := c.wait(ctx, "containerd", func(context.Context) error {
		_, err := os.Stat(c.Socket())
		return err
	}); err != nil {
		return err
	}
	return c.Load(ctx, tools, tar)
}

// Load imports a docker-archive or OCI tar, under the name by which pods ask for it.
func (c Cluster) Load(ctx context.Context, tools Tools, tar string) error {
	_, err := process.Run(ctx, filepath.Join(tools.Containerd, "ctr"), "--address", c.Socket(), "--namespace", "k8s.io", "images", "import", tar)
	return err
}

func (c Cluster) apply(ctx context.Context, tools Tools) error {
	// Validation would make the API server assemble its whole schema, seconds of work that no one may ever need.
	_, err := process.RunInput(ctx, manifests(), filepath.Join(tools.Kubernetes, "kubectl"), "--kubeconfig", c.Kubeconfig(),
		"apply", "--validate=false", "-f", "-")
	return err
}
