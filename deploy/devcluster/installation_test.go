//go:build cluster

package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

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
