package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
)

// EnsureHost makes the bridge, its address and the rule that lets nodes reach what the host reaches. Idempotent.
func EnsureHost(ctx context.Context, p Plan) error {
	if !exists(p.Bridge()) {
		if err := ip(ctx, "link", "add", p.Bridge(), "mtu", fmt.Sprint(MTU()), "type", "bridge"); err != nil {
			return err
		}
	}
	if err := ip(ctx, "address", "replace", p.Host().String()+"/24", "dev", p.Bridge()); err != nil {
		return err
	}
	if err := ip(ctx, "link", "set", p.Bridge(), "up"); err != nil {
		return err
	}
	return nft(ctx, fmt.Sprintf(`table ip %[1]s
delete table ip %[1]s
table ip %[1]s {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr %[2]s ip daddr != %[2]s masquerade
  }
}
`, p.ID, p.Subnet))
}

// RemoveHost takes away what EnsureHost made. Nothing there is fine.
func RemoveHost(ctx context.Context, p Plan) error {
	if exists(p.Bridge()) {
		if err := ip(ctx, "link", "delete", p.Bridge()); err != nil {
			return err
		}
	}
	return nft(ctx, fmt.Sprintf("table ip %[1]s\ndelete table ip %[1]s\n", p.ID))
}

func exists(link string) bool {
	_, err := os.Stat(filepath.Join("/sys/class/net", link))
	return err == nil
}

// MTU is the smallest MTU of the host's interfaces that are up, so that no packet from a pod is too big on its way out.
func MTU() int {
	smallest := 1500
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 && i.MTU >= 1280 {
			smallest = min(smallest, i.MTU)
		}
	}
	return smallest
}

func ip(ctx context.Context, args ...string) error {
	_, err := process.Run(ctx, "ip", args...)
	return err
}

func nft(ctx context.Context, rules string, prefix ...string) error {
	command := append(prefix, "nft", "-f", "-")
	_, err := process.RunInput(ctx, rules, command[0], command[1:]...)
	if err != nil {
		return fmt.Errorf("rules %q: %w", strings.TrimSpace(rules), err)
	}
	return nil
}
