package cluster

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func testCluster(t *testing.T) Cluster {
	t.Helper()
	plan, err := network.NewPlan("10.207.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	return New(state.Folders{State: "/state", Plan: plan}, "demo", 2)
}

// golden renders with a fixed MTU, which otherwise is the machine's.
func golden(t *testing.T, name string) {
	t.Helper()
	content, err := render(name+".tmpl", struct {
		Cluster
		Upstream []string
		MTU      int
	}{testCluster(t), []string{"192.0.2.53"}, 1400})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(content)); diff != "" {
		t.Error(diff)
	}
}

func TestConfigurationFiles(t *testing.T) {
	for _, name := range []string{"containerd.toml", "cni.conflist", "kubelet.yaml", "kube-proxy.yaml", "Corefile"} {
		t.Run(name, func(t *testing.T) { golden(t, name) })
	}
}

func TestCNIConfigurationIsJSON(t *testing.T) {
	content, err := render("cni.conflist.tmpl", testCluster(t))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(content) {
		t.Errorf("not JSON:\n%s", content)
	}
}

func TestNoDNSServerMeansNoForwarding(t *testing.T) {
	content, err := render("Corefile.tmpl", struct {
		Cluster
		Upstream []string
	}{Cluster: testCluster(t)})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), "forward") {
		t.Errorf("forwards to nobody:\n%s", content)
	}
}

func TestResolversThatANamespaceCanReach(t *testing.T) {
	got := resolvers("# comment\nsearch example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver ::1\nnameserver broken\nnameserver\nnameserver 198.51.100.2\n")
	if diff := cmp.Diff([]string{"192.0.2.1", "198.51.100.2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMountPointsBelowAFolder(t *testing.T) {
	mountinfo := `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:30 / /state/clusters/demo/data/a rw - tmpfs tmpfs rw
31 30 0:31 / /state/clusters/demo/data/a/with\040space rw - tmpfs tmpfs rw
32 22 0:32 / /state/clusters/demo-2/data rw - tmpfs tmpfs rw
33 22 0:33 / /state/clusters/demo rw - tmpfs tmpfs rw
`
	got := mountPoints(mountinfo, "/state/clusters/demo")
	want := []string{"/state/clusters/demo/data/a", "/state/clusters/demo/data/a/with space"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSocketPathsFit: containerd refuses a shim socket folder of more than 42 characters, the kernel sockets of more than 107.
func TestSocketPathsFit(t *testing.T) {
	plan, err := network.NewPlan("192.168.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("a", 20)
	if err := state.CheckName(name); err != nil {
		t.Fatal(err)
	}
	c := New(state.Folders{State: "/var/lib/assay-devcluster", Plan: plan}, name, 15)
	if length := len(filepath.Join(c.Run, "s")); length > 42 {
		t.Errorf("shim socket folder has %d characters", length)
	}
	if length := len(c.Socket()); length > 107 {
		t.Errorf("containerd's socket has %d characters", length)
	}
}

func TestNoFlagTurnsOffVerification(t *testing.T) {
	for name, line := range testCluster(t).commandLines(Tools{}) {
		for _, word := range line {
			if strings.Contains(word, "insecure") || strings.Contains(word, "skip-tls") || strings.Contains(word, "AlwaysAllow") {
				t.Errorf("%s is called with %s", name, word)
			}
		}
	}
}
