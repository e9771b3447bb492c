package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
)

// Registry is the content of registry.json.
type Registry struct {
	// Clusters maps a cluster's name to its index, from the moment its `up` begins until its `down` has ended.
	Clusters map[string]int `json:"clusters"`
	// Gitea is true from the moment `gitea up` begins until `gitea down` has ended.
	Gitea bool `json:"gitea"`
	// Sysctls holds the machine's own values of the settings that a cluster changes, for the last one to put back.
	Sysctls map[string]string `json:"sysctls,omitempty"`
}

var clusterName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)

// CheckName refuses what can't be a cluster's name: it becomes a node's name and part of socket paths.
func CheckName(name string) error {
	if !clusterName.MatchString(name) {
		return fmt.Errorf("cluster name %q: want 1 to 20 lower-case letters, digits and dashes, starting with a letter", name)
	}
	return nil
}

// Allocate returns the index of a cluster, a new one (the lowest that is free) if it has none.
func (r *Registry) Allocate(name string) (int, error) {
	if index, known := r.Clusters[name]; known {
		return index, nil
	}
	taken := map[int]bool{}
	for _, index := range r.Clusters {
		taken[index] = true
	}
	for index := range network.MaxClusters {
		if !taken[index] {
			if r.Clusters == nil {
				r.Clusters = map[string]int{}
			}
			r.Clusters[name] = index
			return index, nil
		}
	}
	return 0, fmt.Errorf("cluster %q: all %d places are taken: take one down first", name, network.MaxClusters)
}

// Empty says that nothing of devcluster is up.
func (r *Registry) Empty() bool { return len(r.Clusters) == 0 && !r.Gitea }

// Read returns the registry without locking; no file means an empty one.
func (f Folders) Read() (*Registry, error) {
	registry := &Registry{}
	content, err := os.ReadFile(f.registryPath())
	if errors.Is(err, fs.ErrNotExist) {
		return registry, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, registry); err != nil {
		return nil, fmt.Errorf("%s: %w: take everything down by hand or delete the file", f.registryPath(), err)
	}
	return registry, nil
}

// Update runs change on the registry under a lock that other devcluster processes respect, and writes the result, also
// when change fails: what it recorded before failing must not be forgotten. When nothing is up, the file goes away.
func (f Folders) Update(change func(*Registry) error) error {
	unlock, err := f.Lock("registry")
	if err != nil {
		return err
	}
	defer unlock()
	registry, err := f.Read()
	if err != nil {
		return err
	}
	changeErr := change(registry)
	if registry.Empty() && registry.Sysctls == nil {
		if err := os.Remove(f.registryPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(changeErr, err)
		}
		return changeErr
	}
	content, err := json.MarshalIndent(registry, "", "  ")
	if err != nil {
		return err
	}
	temporary := f.registryPath() + ".new"
	if err := os.WriteFile(temporary, append(content, '\n'), 0o644); err != nil {
		return errors.Join(changeErr, err)
	}
	return errors.Join(changeErr, os.Rename(temporary, f.registryPath()))
}

func (f Folders) registryPath() string { return filepath.Join(f.State, "registry.json") }
