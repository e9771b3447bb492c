package cluster

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestTheSocketForDevicePluginsGoesWithTheLastKubelet(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "kubelet")
	folder := filepath.Join(parent, "device-plugins")
	if err := removeDeviceSocket(folder); err != nil {
		t.Fatalf("nothing is there: %v", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "kubelet.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if err := removeDeviceSocket(folder); err != nil {
		t.Fatal(err)
	}
	if !exists(socket) {
		t.Error("the socket of a kubelet that answers was removed")
	}
	listener.SetUnlinkOnClose(false) // as a kubelet that was killed leaves it
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := removeDeviceSocket(folder); err != nil {
		t.Fatal(err)
	}
	if exists(parent) {
		t.Error("the folders are left")
	}
}
