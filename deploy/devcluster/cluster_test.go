//go:build cluster

// These tests bring up real clusters: root, about a gigabyte of memory and a minute or two with cached binaries.
//
//	go test -tags cluster -timeout 30m .
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
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

// TestGitea uses the Git host over HTTP, SSH and its API, from the host and from nothing else.
func TestGitea(t *testing.T) {
	installation := newInstallation(t)
	cli := buildCLI(t)
	t.Cleanup(func() { _ = exec.Command(cli, "gitea", "down").Run() })
	url := strings.TrimSpace(run(t, cli, "gitea", "up"))
	if again := strings.TrimSpace(run(t, cli, "gitea", "up")); again != url {
		t.Errorf("a second up prints %q, the first %q", again, url)
	}
	script := `set -eu
eval "$("$0" gitea env)"
test "$GITEA_URL" = "$1"
cd "$2"
export HOME="$2" GIT_CONFIG_NOSYSTEM=1
api() { curl -sf -H "Authorization: token $GITEA_TOKEN" -H 'Content-Type: application/json' "$GITEA_URL/api/v1/$@"; }
api user/repos -d '{"name":"demo","private":true}' >/dev/null
ssh-keygen -q -t ed25519 -N '' -f key
api user/keys -d "{\"title\":\"test\",\"key\":\"$(cat key.pub)\"}" >/dev/null
git init -q -b main work
git -C work -c user.name=test -c user.email=test@example.com commit -q --allow-empty -m first
git -C work push -q "$(echo "$GITEA_URL" | sed "s|://|://$GITEA_USER:$GITEA_PASSWORD@|")/$GITEA_USER/demo.git" main
export GIT_SSH_COMMAND="ssh -i key -o IdentitiesOnly=yes -o UserKnownHostsFile=$GITEA_SSH_KNOWN_HOSTS -o StrictHostKeyChecking=yes"
git clone -q --filter=blob:none "$GITEA_SSH_URL/$GITEA_USER/demo.git" clone
commit=$(git -C work rev-parse HEAD)
test "$(git -C clone rev-parse HEAD)" = "$commit"
api "repos/$GITEA_USER/demo/statuses/$commit" -d '{"state":"success","context":"test"}' >/dev/null
api "repos/$GITEA_USER/demo/commits/$commit/status" | grep -q '"state":"success"'
`
	run(t, "sh", "-c", script, cli, url, t.TempDir())
	run(t, cli, "gitea", "down")
	installation.assertNothingLeft(t)
}

// installation is a devcluster of the test's own, beside the one that the machine may have.
type installation struct {
	folders state.Folders
	sysctls string
}

func newInstallation(t *testing.T) installation {
	t.Helper()
	folder, err := os.MkdirTemp("", "adc") // short: the kubelet's sockets are in it
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil { // Gitea's user must get in
		t.Fatal(err)
	}
	octet := make([]byte, 1)
	_, _ = rand.Read(octet)
	t.Setenv(state.EnvState, folder)
	t.Setenv(state.EnvSubnet, fmt.Sprintf("10.%d.0.0/16", 210+octet[0]%40))
	folders, err := state.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	return installation{folders: folders, sysctls: sysctls(t)}
}

func (i installation) assertNothingLeft(t *testing.T) {
	t.Helper()
	if now := sysctls(t); now != i.sysctls {
		t.Errorf("settings were\n%sand are\n%s", i.sysctls, now)
	}
	for _, pattern := range []string{
		i.folders.State, "/sys/class/net/" + i.folders.Plan.Bridge(), "/run/" + i.folders.Plan.ID, "/run/netns/" + i.folders.Plan.ID + "*",
		"/sys/fs/cgroup/" + i.folders.Plan.ID, "/sys/fs/cgroup/*/" + i.folders.Plan.ID,
	} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
	}
	if tables := run(t, "nft", "list", "tables"); strings.Contains(tables, i.folders.Plan.ID) {
		t.Errorf("a table is left:\n%s", tables)
	}
}

func sysctls(t *testing.T) string {
	return run(t, "sysctl", "net.ipv4.ip_forward", "vm.overcommit_memory", "kernel.panic", "kernel.panic_on_oops")
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

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := (&http.Client{Timeout: 10 * time.Second}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func missing(paths ...string) []string {
	var gone []string
	for _, path := range paths {
		if _, err := os.Lstat(path); err != nil {
			gone = append(gone, path)
		}
	}
	return gone
}

// eventually waits for a condition of the machine, at most a minute.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("a minute has passed and it is not so: %s", what)
		}
	}
}
