package githost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const administrator = "devcluster"

var randomPassword = regexp.MustCompile(`generated random password is '([^']+)'`)

// createAdministrator makes the account with a password that Gitea chooses (one given on a command line could be read by
// anyone on the machine), a token, and the file that says so.
func (h Host) createAdministrator(ctx context.Context) (Credentials, error) {
	line := h.command("admin", "user", "create", "--admin", "--username", administrator, "--email", administrator+"@example.com",
		"--random-password", "--random-password-length", "24", "--must-change-password=false")
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Env, command.Dir = h.environment(), "/"
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	output, err := command.CombinedOutput()
	if err != nil {
		return Credentials{}, fmt.Errorf("create administrator: %w: %s", err, output)
	}
	found := randomPassword.FindSubmatch(output)
	if found == nil {
		return Credentials{}, fmt.Errorf("create administrator: Gitea named no password")
	}
	credentials := Credentials{
		URL: h.URL(), SSHURL: fmt.Sprintf("ssh://git@%s:%d", h.address, sshPort), KnownHosts: filepath.Join(h.folder, "known_hosts"),
		User: administrator, Password: string(found[1]),
	}
	var token struct {
		SHA1 string `json:"sha1"`
	}
	request := map[string]any{"name": "devcluster", "scopes": []string{"all"}}
	if err := h.call(ctx, http.MethodPost, "/api/v1/users/"+administrator+"/tokens", credentials.Password, request, &token); err != nil {
		return Credentials{}, fmt.Errorf("create token: %w", err)
	}
	credentials.Token = token.SHA1
	if err := h.writeKnownHosts(ctx, credentials.KnownHosts); err != nil {
		return Credentials{}, err
	}
	content, err := json.MarshalIndent(credentials, "", "  ")
	if err != nil {
		return Credentials{}, err
	}
	return credentials, os.WriteFile(h.credentials(), append(content, '\n'), 0o600)
}

// writeKnownHosts writes the SSH server's keys as OpenSSH's known_hosts wants them.
func (h Host) writeKnownHosts(ctx context.Context, path string) error {
	keys, err := filepath.Glob(filepath.Join(h.work(), "data", "ssh", "*.pub"))
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, key := range keys {
		content, err := os.ReadFile(key)
		if err != nil {
			return err
		}
		if fields := strings.Fields(string(content)); len(fields) >= 2 {
			fmt.Fprintf(&lines, "[%s]:%d %s %s\n", h.address, sshPort, fields[0], fields[1])
		}
	}
	if lines.Len() == 0 {
		return fmt.Errorf("gitea has no SSH host key below %s", h.work())
	}
	return os.WriteFile(path, []byte(lines.String()), 0o644)
}

// call speaks to Gitea's API, as the administrator when there is a password.
func (h Host) call(ctx context.Context, method, path, password string, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var body bytes.Buffer
	if request != nil {
		if err := json.NewEncoder(&body).Encode(request); err != nil {
			return err
		}
	}
	httpRequest, err := http.NewRequestWithContext(ctx, method, h.URL()+path, &body)
	if err != nil {
		return err
	}
	httpRequest.Header.Set("Content-Type", "application/json")
	if password != "" {
		httpRequest.SetBasicAuth(administrator, password)
	}
	response, err := http.DefaultTransport.RoundTrip(httpRequest)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s answered %s: %.200s", method, path, response.Status, content)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}
