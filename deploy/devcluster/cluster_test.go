//go:build cluster

// These tests bring up real clusters: root, about a gigabyte of memory and a minute or two with cached binaries.
//
//	go test -tags cluster -timeout 30m .
package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/deploy/devcluster/internal/cluster"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

// TestTwoClusters brings one up beside another, uses it, breaks it, and takes both down.
func TestTwoClusters(t *testing.T) {
	installation := newInstallation(t)
	cli := buildCLI(t)
	first, second := newTestCluster(t, cli), newTestCluster(t, cli)
	strangers := missing("/opt/containerd", "/opt/cni", "/run/containerd", "/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/var/log/pods", "/usr/libexec/kubernetes", "/etc/cni", "/var/lib/containerd")

	first.up()
	second.crashHalfWay()
	second.up()
	second.load()
	second.kubectl("apply", "-f", "testdata/web.yaml")
	second.kubectl("-n", "web", "wait", "--for=condition=Ready", "pod/server", "--timeout=60s")

	t.Run("a pod reaches a Service by name, with seccomp on", func(t *testing.T) {
		second.kubectl("-n", "web", "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
		second.expect(t, "Seccomp:\t2", "-n", "web", "logs", "client")
	})
	t.Run("logs", func(t *testing.T) { second.expect(t, "started", "-n", "web", "logs", "server") })
	t.Run("exec, image volume", func(t *testing.T) {
		second.expect(t, "busybox", "-n", "web", "exec", "server", "--", "ls", "/content/bin/busybox")
	})
	t.Run("port-forward", second.portForward)
	t.Run("the host reaches a Service", func(t *testing.T) {
		address := strings.TrimSpace(second.kubectl("-n", "web", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"))
		if body := get(t, "http://"+address+"/"); body != "hello\n" {
			t.Errorf("the service answered %q", body)
		}
	})
	t.Run("Pod Security is enforced", func(t *testing.T) {
		second.refused(t, "violates PodSecurity", "-n", "web", "run", "root", "--image=assay.dev/devcluster-test:v1")
	})
	t.Run("a node can't change another node", func(t *testing.T) {
		second.refused(t, "forbidden", "--kubeconfig", filepath.Join(second.c.Etc, "kubelet.kubeconfig"), "label", "node", "other", "a=b")
		second.refused(t, "orbidden", "--kubeconfig", filepath.Join(second.c.Etc, "kubelet.kubeconfig"), "get", "secrets", "-A")
	})
	t.Run("tokens are issued and reviewed", second.tokenReview)
	t.Run("a dead component is restarted and the data kept", func(t *testing.T) {
		second.killComponents("kubelet", "containerd")
		second.up()
		second.kubectl("-n", "web", "wait", "--for=condition=Ready", "pod/server", "--timeout=90s")
	})

	second.down()
	second.assertNothingLeft()
	first.devcluster("status", "--name", first.c.Name)
	first.down()
	first.assertNothingLeft()
	installation.assertNothingLeft(t)
	for _, path := range strangers {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s was not there before", path)
		}
	}
}

type testCluster struct {
	t   *testing.T
	cli string
	c   cluster.Cluster
}

func buildCLI(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test needs root")
	}
	cli := filepath.Join(t.TempDir(), "devcluster")
	if output, err := exec.Command("go", "build", "-o", cli, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return cli
}

func newTestCluster(t *testing.T, cli string) *testCluster {
	t.Helper()
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	tc := &testCluster{t: t, cli: cli, c: cluster.Cluster{Name: "t-" + hex.EncodeToString(random)}}
	t.Cleanup(func() { _ = exec.Command(cli, "down", "--name", tc.c.Name).Run() })
	return tc
}

func (tc *testCluster) devcluster(args ...string) string {
	tc.t.Helper()
	return run(tc.t, tc.cli, args...)
}

// up brings the cluster up twice; the second time must find nothing to do.
func (tc *testCluster) up() {
	tc.t.Helper()
	started := time.Now()
	tc.devcluster("up", "--name", tc.c.Name)
	tc.t.Logf("cluster %s is up after %s", tc.c.Name, time.Since(started).Round(100*time.Millisecond))
	tc.locate()
	before := tc.pids()
	tc.devcluster("up", "--name", tc.c.Name)
	if diff := cmp.Diff(before, tc.pids()); diff != "" {
		tc.t.Errorf("a second up changed the processes: %s", diff)
	}
}

// pids are the components' by name.
func (tc *testCluster) pids() map[string]string {
	tc.t.Helper()
	found := map[string]string{}
	for _, component := range tc.c.Components() {
		content, err := os.ReadFile(filepath.Join(tc.c.Run, component.Name+".pid"))
		if err != nil {
			tc.t.Fatal(err)
		}
		found[component.Name] = string(content)
	}
	return found
}

// locate reads from the registry where the cluster is.
func (tc *testCluster) locate() bool {
	folders, err := state.FromEnvironment()
	if err != nil {
		tc.t.Fatal(err)
	}
	registry, err := folders.Read()
	if err != nil {
		tc.t.Fatal(err)
	}
	index, known := registry.Clusters[tc.c.Name]
	if known {
		tc.c = cluster.New(folders, tc.c.Name, index)
	}
	return known
}

// crashHalfWay kills the CLI while the components start.
func (tc *testCluster) crashHalfWay() {
	tc.t.Helper()
	command := exec.Command(tc.cli, "up", "--name", tc.c.Name)
	if err := command.Start(); err != nil {
		tc.t.Fatal(err)
	}
	eventually(tc.t, "the API server has been started", func() bool {
		return tc.locate() && tc.c.Group.Alive(filepath.Join(tc.c.Run, "kube-apiserver.pid"))
	})
	if err := command.Process.Signal(syscall.SIGKILL); err != nil {
		tc.t.Fatal(err)
	}
	_ = command.Wait()
}

func (tc *testCluster) load() {
	tc.t.Helper()
	tar := filepath.Join(tc.t.TempDir(), "test.tar")
	tc.devcluster("image", "-o", tar, "--tag", "assay.dev/devcluster-test:v1", "--busybox")
	tc.devcluster("load", "--name", tc.c.Name, tar)
}

func (tc *testCluster) command(args ...string) *exec.Cmd {
	kubectl := filepath.Join(strings.TrimSpace(tc.devcluster("assets")), "kubectl")
	command := exec.Command(kubectl, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+tc.c.Kubeconfig())
	return command
}

func (tc *testCluster) kubectl(args ...string) string {
	tc.t.Helper()
	output, err := tc.command(args...).CombinedOutput()
	if err != nil {
		tc.t.Fatalf("kubectl %v: %v\n%s", args, err, output)
	}
	return string(output)
}

func (tc *testCluster) expect(t *testing.T, want string, args ...string) {
	t.Helper()
	if output := tc.kubectl(args...); !strings.Contains(output, want) {
		t.Errorf("kubectl %v printed %q, want %q in it", args, output, want)
	}
}

func (tc *testCluster) refused(t *testing.T, want string, args ...string) {
	t.Helper()
	output, err := tc.command(args...).CombinedOutput()
	if err == nil || !strings.Contains(string(output), want) {
		t.Errorf("kubectl %v: %v, printed %q, want a refusal with %q", args, err, output, want)
	}
}

func (tc *testCluster) portForward(t *testing.T) {
	command := tc.command("-n", "web", "port-forward", "service/web", ":80")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	var port int
	if _, err := fmt.Fscanf(output, "Forwarding from 127.0.0.1:%d", &port); err != nil {
		t.Fatalf("no port was named: %v", err)
	}
	go io.Copy(io.Discard, output) //nolint:errcheck
	if body := get(t, fmt.Sprintf("http://127.0.0.1:%d/", port)); body != "hello\n" {
		t.Errorf("the forwarded port answered %q", body)
	}
}

func (tc *testCluster) tokenReview(t *testing.T) {
	token := strings.TrimSpace(tc.kubectl("create", "token", "default", "--audience=gateway"))
	command := tc.command("create", "-o", "jsonpath={.status.authenticated} {.status.user.username}", "-f", "-")
	command.Stdin = strings.NewReader(fmt.Sprintf(`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":%q,"audiences":["gateway"]}}`, token))
	output, err := command.CombinedOutput()
	if want := "true system:serviceaccount:default:default"; err != nil || string(output) != want {
		t.Errorf("the review says %q, %v, want %q", output, err, want)
	}
}

func (tc *testCluster) killComponents(names ...string) {
	tc.t.Helper()
	for _, name := range names {
		pidFile := filepath.Join(tc.c.Run, name+".pid")
		content, err := os.ReadFile(pidFile)
		if err != nil {
			tc.t.Fatal(err)
		}
		var pid int
		if _, err := fmt.Sscan(string(content), &pid); err != nil {
			tc.t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			tc.t.Fatal(err)
		}
		eventually(tc.t, name+" has ended", func() bool { return !tc.c.Group.Alive(pidFile) })
	}
}

func (tc *testCluster) down() {
	tc.t.Helper()
	started := time.Now()
	tc.devcluster("down", "--name", tc.c.Name)
	tc.t.Logf("cluster %s is down after %s", tc.c.Name, time.Since(started).Round(100*time.Millisecond))
}

func (tc *testCluster) assertNothingLeft() {
	t := tc.t
	t.Helper()
	if tc.locate() {
		t.Errorf("the registry still has %s", tc.c.Name)
	}
	if pids := tc.c.Group.Pids(); len(pids) > 0 {
		t.Errorf("processes are left: %v", pids)
	}
	for _, path := range []string{tc.c.Folder, tc.c.Run, "/run/netns/" + tc.c.Node.Namespace, "/sys/class/net/" + tc.c.Node.Veth} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is left", path)
		}
	}
	for what, pattern := range map[string]string{
		"cgroup":         "/sys/fs/cgroup/*/" + string(tc.c.Group),
		"unified cgroup": "/sys/fs/cgroup/" + string(tc.c.Group),
		"CNI result":     "/var/lib/cni/results/" + tc.c.Node.Namespace + "-*",
		"socket":         "/run/containerd/s/*",
	} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			t.Errorf("%s is left: %v", what, found)
		}
	}
	for what, command := range map[string][]string{
		"route":   {"ip", "route"},
		"mount":   {"cat", "/proc/self/mountinfo"},
		"process": {"ps", "-eo", "pid,args"},
		"log":     {"find", "/var/log", "-lname", "*" + tc.c.Name + "*"},
		"rule":    {"nft", "list", "ruleset"},
	} {
		output := run(t, command[0], command[1:]...)
		for line := range strings.Lines(output) {
			for _, mark := range []string{tc.c.Folder + "/", tc.c.Run + "/", tc.c.Node.Pods.String(), tc.c.Node.Services.String(), "clusters/" + tc.c.Name} {
				if strings.Contains(line, mark) && !strings.Contains(line, "find /var/log") {
					t.Errorf("%s is left: %s", what, strings.TrimSpace(line))
				}
			}
		}
	}
}
