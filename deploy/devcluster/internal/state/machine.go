package state

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
)

// sysctls are the machine-wide settings that devcluster (ip_forward) and kubelets (the others) change.
var sysctls = []string{
	"net.ipv4.ip_forward", "vm.overcommit_memory", "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes",
}

// Prepare makes what all clusters and Gitea share on the machine. Call it inside Update.
func (f Folders) Prepare(ctx context.Context, registry *Registry) error {
	if registry.Sysctls == nil {
		registry.Sysctls = map[string]string{}
		for _, name := range sysctls {
			if value, err := os.ReadFile(sysctlPath(name)); err == nil {
				registry.Sysctls[name] = strings.TrimSpace(string(value))
			}
		}
	}
	if err := os.WriteFile(sysctlPath("net.ipv4.ip_forward"), []byte("1"), 0o644); err != nil {
		return fmt.Errorf("let nodes reach the network: %w", err)
	}
	return network.EnsureHost(ctx, f.Plan)
}

// Release takes away what Prepare made and puts the settings back, if nothing is up any more. Call it inside Update.
func (f Folders) Release(ctx context.Context, registry *Registry) error {
	if !registry.Empty() {
		return nil
	}
	if err := network.RemoveHost(ctx, f.Plan); err != nil {
		return err
	}
	for name, value := range registry.Sysctls {
		if err := os.WriteFile(sysctlPath(name), []byte(value), 0o644); err != nil {
			return fmt.Errorf("put %s back to %s: %w", name, value, err)
		}
	}
	registry.Sysctls = nil
	return nil
}

func sysctlPath(name string) string {
	return filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
}
