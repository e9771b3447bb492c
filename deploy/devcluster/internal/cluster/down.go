package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
)

// Down takes the cluster away with everything that it made on the machine. Nothing there is fine.
func (c Cluster) Down(ctx context.Context) error {
	if err := c.stop(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(c.Folder); err != nil {
		return err
	}
	// The parents are shared with other clusters; the last one takes them away.
	_ = os.Remove(filepath.Dir(c.Folder))
	_ = os.Remove(filepath.Dir(c.Run))
	return nil
}

// stop ends all processes of the cluster, pods included, and takes away what the kernel holds for it. Data stays.
func (c Cluster) stop(ctx context.Context) error {
	if err := c.Group.Kill(ctx, 0); err != nil {
		return err
	}
	for _, folder := range []string{c.Run, c.Folder} {
		if err := unmountBelow(folder); err != nil {
			return err
		}
	}
	if err := network.RemoveNode(ctx, c.Plan, c.Node); err != nil {
		return err
	}
	// Sandboxes are gone, and with them the leases on pod addresses.
	for _, folder := range []string{c.Run, filepath.Join(c.Data, "cni")} {
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	return errors.Join(c.removeCNIResults(), c.removeLogLinks(), removeDeviceSocket(devicePlugins))
}

// unmountBelow unmounts everything in a folder, deepest first.
func unmountBelow(folder string) error {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	points := mountPoints(string(content), folder)
	slices.Reverse(points) // later mounts lie on top of or inside earlier ones
	for _, point := range points {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return nil
}

// mountPoints lists the mount points inside a folder from the text of mountinfo, in its order.
func mountPoints(mountinfo, folder string) []string {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	for line := range strings.Lines(mountinfo) {
		if fields := strings.Fields(line); len(fields) > 4 {
			if point := unescape.Replace(fields[4]); strings.HasPrefix(point, folder+"/") {
				points = append(points, point)
			}
		}
	}
	return points
}

// removeCNIResults deletes what the CNI library remembers about pods in a folder that can't be chosen.
func (c Cluster) removeCNIResults() error {
	const results = "/var/lib/cni/results"
	entries, err := os.ReadDir(results)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		// NETWORK-SANDBOX-INTERFACE, where the sandbox has 64 hexadecimal digits and a network's name may hold dashes.
		sandbox, ours := strings.CutPrefix(entry.Name(), c.Node.Namespace+"-")
		if ours && len(sandbox) > 64 && !strings.Contains(sandbox[:64], "-") {
			if err := os.Remove(filepath.Join(results, entry.Name())); err != nil {
				return err
			}
		}
	}
	_ = os.Remove(results) // only when empty
	_ = os.Remove(filepath.Dir(results))
	return nil
}

// devicePlugins is where every kubelet listens for device plugins, whatever its root folder is.
const devicePlugins = "/var/lib/kubelet/device-plugins"

// removeDeviceSocket deletes the kubelet's socket for device plugins, and its folders when they are empty then. While some
// kubelet still answers there, it stays.
func removeDeviceSocket(folder string) error {
	socket := filepath.Join(folder, "kubelet.sock")
	if connection, err := net.Dial("unix", socket); err == nil {
		return connection.Close()
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(folder) // only when empty
	_ = os.Remove(filepath.Dir(folder))
	return nil
}

// removeLogLinks deletes the kubelet's links to this cluster's container logs, in a folder that can't be chosen either.
func (c Cluster) removeLogLinks() error {
	const links = "/var/log/containers"
	entries, err := os.ReadDir(links)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(links, entry.Name())
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, c.Data+"/") {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	_ = os.Remove(links) // only when empty
	return nil
}
