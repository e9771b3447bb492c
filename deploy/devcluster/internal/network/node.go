package network

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
)

// Enter is the command line prefix that runs a command in the node's network namespace. Only the network differs: unlike
// `ip netns exec` it leaves the mount namespace alone, because kubelet and containerd must see each other's mounts.
func (n Node) Enter() []string { return []string{"nsenter", "--net=" + n.path()} }

func (n Node) path() string { return filepath.Join("/run/netns", n.Namespace) }

// EnsureNode makes the namespace with a leg on the bridge, and routes from the host to the pods and services in it.
// It starts from nothing: call RemoveNode first.
func EnsureNode(ctx context.Context, p Plan, n Node) error {
	steps := [][]string{
		{"netns", "add", n.Namespace},
		{"link", "add", n.Veth, "mtu", fmt.Sprint(MTU()), "type", "veth", "peer", "name", "eth0", "mtu", fmt.Sprint(MTU()), "netns", n.Namespace},
		{"link", "set", n.Veth, "master", p.Bridge(), "up"},
		{"-n", n.Namespace, "link", "set", "lo", "up"},
		{"-n", n.Namespace, "address", "add", n.Address.String() + "/24", "dev", "eth0"},
		{"-n", n.Namespace, "link", "set", "eth0", "up"},
		{"-n", n.Namespace, "route", "add", "default", "via", p.Host().String()},
		{"route", "replace", n.Pods.String(), "via", n.Address.String(), "dev", p.Bridge()},
		{"route", "replace", n.Services.String(), "via", n.Address.String(), "dev", p.Bridge()},
	}
	for _, step := range steps {
		if err := ip(ctx, step...); err != nil {
			return err
		}
	}
	inside := n.Enter()
	if _, err := process.Run(ctx, inside[0], append(inside[1:], "sysctl", "-qw", "net.ipv4.ip_forward=1")...); err != nil {
		return err
	}
	// Pods speak to each other under their own addresses and to the rest of the world under the node's.
	return nft(ctx, fmt.Sprintf(`table ip pods {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr %[1]s ip daddr != %[1]s ip daddr != %[2]s masquerade
  }
}
`, n.Pods, p.Host()), inside...)
}

// RemoveNode deletes the namespace with everything in it, the veth pair and the routes. Nothing there is fine. The
// namespace really ends when the last process in it has: kill those first.
func RemoveNode(ctx context.Context, p Plan, n Node) error {
	if exists(n.Veth) {
		if err := ip(ctx, "link", "delete", n.Veth); err != nil {
			return err
		}
	}
	if _, err := os.Stat(n.path()); err == nil {
		if err := ip(ctx, "netns", "delete", n.Namespace); err != nil {
			return err
		}
	}
	if !exists(p.Bridge()) {
		return nil
	}
	for _, route := range []string{n.Pods.String(), n.Services.String()} {
		found, err := process.Run(ctx, "ip", "route", "show", "exact", route)
		if err != nil {
			return err
		}
		if found == "" {
			continue
		}
		if err := ip(ctx, "route", "delete", route, "dev", p.Bridge()); err != nil {
			return err
		}
	}
	return nil
}
