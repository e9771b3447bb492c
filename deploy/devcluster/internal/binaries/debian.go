package binaries

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
)

// Requirement is a file or command that must be on the machine, and the Debian package that has it.
type Requirement struct {
	Have    string // an absolute path, or a command
	Package string
}

// What each part of devcluster needs from Debian.
var (
	ForNetwork = []Requirement{{"ip", "iproute2"}, {"nft", "nftables"}, {"nsenter", "util-linux"}, {"sysctl", "procps"}}
	ForCluster = append([]Requirement{
		{"runc", "runc"}, {"/usr/lib/cni/bridge", "containernetworking-plugins"}, {"modprobe", "kmod"}, {"mount", "mount"},
	}, ForNetwork...)
	ForGitea   = append([]Requirement{{"git", "git"}, {"gcc", "gcc"}, {"/usr/include/stdio.h", "libc6-dev"}, {"setpriv", "util-linux"}}, ForNetwork...)
	ForBusybox = []Requirement{{"/bin/busybox", "busybox-static"}}
	ForCA      = []Requirement{{"/etc/ssl/certs/ca-certificates.crt", "ca-certificates"}}
)

// EnsurePackages installs the Debian packages of the requirements that the machine does not meet.
func EnsurePackages(ctx context.Context, out io.Writer, requirements ...Requirement) error {
	var missing []string
	for _, requirement := range requirements {
		if !present(requirement.Have) {
			missing = append(missing, requirement.Package)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing: %s: install them, apt-get is not here", strings.Join(missing, " "))
	}
	fmt.Fprintf(out, "installing Debian packages: %s\n", strings.Join(missing, " "))
	install := append([]string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qq", "-y", "--no-install-recommends"}, missing...)
	if _, err := process.Run(ctx, "env", install...); err == nil {
		return nil
	}
	// The package lists may be missing or old.
	if _, err := process.Run(ctx, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	_, err := process.Run(ctx, "env", install...)
	return err
}

func present(have string) bool {
	if filepath.IsAbs(have) {
		_, err := os.Stat(have)
		return err == nil
	}
	if _, err := exec.LookPath(have); err == nil {
		return true
	}
	for _, folder := range []string{"/usr/sbin", "/sbin"} {
		if _, err := os.Stat(filepath.Join(folder, have)); err == nil {
			return true
		}
	}
	return false
}
