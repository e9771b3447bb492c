// Package cluster brings one Kubernetes cluster up and down: certificates, configuration, daemons, health. In: a name and
// the folders. Out: running components and a kubeconfig. It knows how Kubernetes is put together, not how the binaries were
// built nor how the network namespace is made.
package cluster

import (
	"context"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/deploy/devcluster/internal/binaries"
	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

// Cluster is one cluster and where its things are. The value holds no state: everything is on disk or in the kernel.
type Cluster struct {
	Name  string
	Plan  network.Plan
	Node  network.Node
	Group process.Group

	Folder string // all below, except Run, is in here
	PKI    string
	Etc    string
	Data   string
	Log    string
	Run    string // sockets, pid files, state that a reboot ends; short, for the limit on socket paths
}

// New lays out the cluster that the registry knows by this index.
func New(folders state.Folders, name string, index int) Cluster {
	folder := folders.Cluster(name)
	return Cluster{
		Name:   name,
		Plan:   folders.Plan,
		Node:   folders.Plan.Node(name, index),
		Group:  process.Group(folders.Plan.ID + "/" + name),
		Folder: folder,
		PKI:    filepath.Join(folder, "pki"),
		Etc:    filepath.Join(folder, "etc"),
		Data:   filepath.Join(folder, "data"),
		Log:    filepath.Join(folder, "log"),
		Run:    filepath.Join("/run", folders.Plan.ID, name),
	}
}

// Socket is containerd's.
func (c Cluster) Socket() string { return filepath.Join(c.Run, "containerd.sock") }

// Kubeconfig is the administrator's, mode 0600.
func (c Cluster) Kubeconfig() string { return filepath.Join(c.Folder, "kubeconfig") }

// Server is the API server's URL, for the host, for pods and for other clusters.
func (c Cluster) Server() string { return "https://" + c.Node.Address.String() + ":6443" }

// PauseImage is the image of pod sandboxes. It exists only in the cluster, so it can't be pulled.
func (c Cluster) PauseImage() string { return "localhost/assay-pause:v1" }

// MTU is what pods get.
func (c Cluster) MTU() int { return network.MTU() }

func (c Cluster) pid(daemon string) string { return filepath.Join(c.Run, daemon+".pid") }

// complete marks a cluster whose first `up` reached its end; without it the next `up` starts from nothing.
func (c Cluster) complete() string { return filepath.Join(c.Folder, "complete") }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Tools are the folders of executables, by component.
type Tools struct {
	Kubernetes, Containerd, CoreDNS, Pause string
}

// Build makes sure that all tools are there, in the order of binaries.Cluster.
func Build(ctx context.Context, b binaries.Builder) (tools Tools, err error) {
	folders := []*string{&tools.Kubernetes, &tools.Containerd, &tools.CoreDNS, &tools.Pause}
	for i, component := range binaries.Cluster {
		if *folders[i], err = b.Ensure(ctx, component); err != nil {
			return tools, err
		}
	}
	return tools, nil
}
