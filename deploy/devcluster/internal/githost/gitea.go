// Package githost brings one Gitea up and down: SQLite, plain HTTP and a built-in SSH server on the host's address of the
// devcluster network, so that one URL works from the host and from pods. In: the folders and Gitea's executable. Out: a
// running server and an administrator's credentials in a file of mode 0600.
package githost

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
	"github.com/assay-dev/assay/deploy/devcluster/internal/state"
)

// user is who Gitea runs as, since it refuses root. A number without an account: nothing to add to the machine, nothing to
// take away again.
const user = 64741

const (
	port       = 3000
	sshPort    = 2222
	startLimit = time.Minute
)

// Host is the Git host of one installation of devcluster.
type Host struct {
	folder  string
	address string
	group   process.Group
}

// Credentials are how to use the host. The token has all scopes and belongs to the administrator.
type Credentials struct {
	URL        string `json:"url"`    // without a slash at the end
	SSHURL     string `json:"sshURL"` // ssh://git@host:port, without a slash at the end
	KnownHosts string `json:"knownHosts"`
	User       string `json:"user"`
	Password   string `json:"password"`
	Token      string `json:"token"`
}

// New lays out the host.
func New(folders state.Folders) Host {
	return Host{
		folder:  folders.Gitea(),
		address: folders.Plan.Host().String(),
		group:   process.Group(folders.Plan.ID + "/.gitea"), // no cluster can have this name
	}
}

// URL is where Gitea answers, for the host and for pods.
func (h Host) URL() string { return fmt.Sprintf("http://%s:%d", h.address, port) }

func (h Host) work() string        { return filepath.Join(h.folder, "work") }
func (h Host) program() string     { return filepath.Join(h.folder, "program") }
func (h Host) assets() string      { return filepath.Join(h.program(), "static", "public", "assets") }
func (h Host) config() string      { return filepath.Join(h.work(), "app.ini") }
func (h Host) log() string         { return filepath.Join(h.folder, "gitea.log") }
func (h Host) pid() string         { return filepath.Join(h.folder, "gitea.pid") }
func (h Host) credentials() string { return filepath.Join(h.folder, "credentials.json") }

// Up starts Gitea from the folder that its build made. A healthy one is left alone, one that stopped is started again with
// its data, and the remains of a first `up` that did not end are wiped. The shared network must exist.
//
// Pages is the folder of built web assets; empty leaves the pages bare. A running Gitea picks new ones up.
func (h Host) Up(ctx context.Context, built, pages string) (Credentials, error) {
	credentials, err := h.ensure(ctx, built)
	if err != nil || pages == "" || exists(filepath.Join(h.assets(), ".vite")) {
		return credentials, err
	}
	_, err = process.Run(ctx, "cp", "-r", "--reflink=auto", pages+"/.", h.assets())
	return credentials, err
}

func (h Host) ensure(ctx context.Context, built string) (Credentials, error) {
	if credentials, err := h.Credentials(); err == nil && h.group.Alive(h.pid()) && h.Check(ctx) == nil {
		return credentials, nil
	}
	if err := h.group.Kill(ctx, 5*time.Second); err != nil {
		return Credentials{}, err
	}
	credentials, err := h.Credentials()
	first := errors.Is(err, os.ErrNotExist)
	if first {
		if err := os.RemoveAll(h.folder); err != nil {
			return Credentials{}, err
		}
		if err := h.install(ctx, built); err != nil {
			return Credentials{}, err
		}
	} else if err != nil {
		return Credentials{}, err
	}
	if err := h.start(ctx); err != nil {
		return Credentials{}, err
	}
	if first {
		return h.createAdministrator(ctx)
	}
	return credentials, nil
}

// Down ends Gitea and deletes all of its data. Nothing there is fine.
func (h Host) Down(ctx context.Context) error {
	if err := h.group.Kill(ctx, 2*time.Second); err != nil {
		return err
	}
	return os.RemoveAll(h.folder)
}

// Credentials reads what the first Up wrote; os.ErrNotExist if there was none.
func (h Host) Credentials() (Credentials, error) {
	var credentials Credentials
	content, err := os.ReadFile(h.credentials())
	if err != nil {
		return credentials, fmt.Errorf("gitea is not up: %w", err)
	}
	return credentials, json.Unmarshal(content, &credentials)
}

// Check says what is wrong, nil if Gitea answers.
func (h Host) Check(ctx context.Context) error {
	return h.call(ctx, http.MethodGet, "/api/healthz", "", nil, nil)
}

//go:embed app.ini.tmpl
var appINI string

var appTemplate = template.Must(template.New("app.ini").Parse(appINI))

// install copies program and templates to where Gitea's user can read them (a cache below /root is not) and configures it.
func (h Host) install(ctx context.Context, built string) error {
	for _, folder := range []string{h.folder, h.work()} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if _, err := process.Run(ctx, "cp", "-r", "--reflink=auto", built, h.program()); err != nil {
		return err
	}
	var content bytes.Buffer
	err := appTemplate.Execute(&content, map[string]any{
		"Work": h.work(), "Static": filepath.Join(h.program(), "static"), "Address": h.address, "URL": h.URL(), "Port": port, "SSHPort": sshPort,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(h.config(), content.Bytes(), 0o600); err != nil {
		return err
	}
	// Gitea writes generated secrets back into its configuration.
	for _, path := range []string{h.work(), h.config()} {
		if err := os.Chown(path, user, user); err != nil {
			return err
		}
	}
	return nil
}

func (h Host) command(args ...string) []string {
	return append([]string{filepath.Join(h.program(), "gitea"), "--config", h.config(), "--work-path", h.work()}, args...)
}

// environment names the user for Gitea, which otherwise looks for an account.
func (h Host) environment() []string {
	return []string{"USER=git", "HOME=" + filepath.Join(h.work(), "home"), "PATH=/usr/local/bin:/usr/bin:/bin"}
}

func (h Host) start(ctx context.Context) error {
	if err := h.group.Create(); err != nil {
		return err
	}
	err := h.group.Start(process.Daemon{
		Name: "gitea", Args: h.command("web"), Env: h.environment(), User: user, Log: h.log(), Pid: h.pid(),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := h.Check(ctx)
		if err == nil {
			return nil
		}
		if !h.group.Alive(h.pid()) {
			return fmt.Errorf("gitea ended: %s", h.tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gitea is not ready: %w: %s", err, h.tail())
		case <-tick.C:
		}
	}
}

func (h Host) tail() string {
	content, _ := os.ReadFile(h.log())
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "the last lines of " + h.log() + ":\n" + strings.Join(lines[max(0, len(lines)-15):], "\n")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
