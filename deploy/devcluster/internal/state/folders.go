// Package state is what devcluster remembers on disk: where things live, which cluster has which index, and what the
// machine's settings were before. It starts nothing.
package state

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
)

// Environment variables that move devcluster to other places. Two state folders on one machine need two subnets.
const (
	EnvState  = "ASSAY_DEVCLUSTER_STATE"
	EnvCache  = "ASSAY_DEVCLUSTER_CACHE"
	EnvSubnet = "ASSAY_DEVCLUSTER_SUBNET"
)

const (
	defaultState  = "/var/lib/assay-devcluster"
	defaultSubnet = "10.207.0.0/16"
)

// Folders are the places that one installation of devcluster uses.
type Folders struct {
	State string
	Cache string
	Plan  network.Plan
}

// FromEnvironment reads the variables above; unset ones mean /var/lib/assay-devcluster, assay-devcluster below the user's
// cache folder, and 10.207.0.0/16.
func FromEnvironment() (Folders, error) {
	cache := os.Getenv(EnvCache)
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return Folders{}, fmt.Errorf("no cache folder: %w: set %s", err, EnvCache)
		}
		cache = filepath.Join(base, "assay-devcluster")
	}
	plan, err := network.NewPlan(cmp.Or(os.Getenv(EnvSubnet), defaultSubnet))
	if err != nil {
		return Folders{}, fmt.Errorf("%s: %w", EnvSubnet, err)
	}
	return Folders{State: cmp.Or(os.Getenv(EnvState), defaultState), Cache: cache, Plan: plan}, nil
}

// Cluster is the folder of one cluster, Gitea the folder of the Git host.
func (f Folders) Cluster(name string) string { return filepath.Join(f.State, "clusters", name) }

// Gitea is the folder of the Git host.
func (f Folders) Gitea() string { return filepath.Join(f.State, "gitea") }
