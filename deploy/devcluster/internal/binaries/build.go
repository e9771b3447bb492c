package binaries

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Builder builds components from source and caches them.
type Builder struct {
	Source string // devcluster's own source folder
	Cache  string // folder for the results
	Out    io.Writer
}

const heartbeat = 30 * time.Second

// Ensure returns the folder of the component's executables, building them when the cache has none.
func (b Builder) Ensure(ctx context.Context, c Component) (string, error) {
	key, err := b.key(c)
	if err != nil {
		return "", err
	}
	return b.cached(key, func(into string) error { return b.build(ctx, c, into) })
}

// cached returns the cache's folder of that key. When there is none, build fills a new one, which counts only when whole.
func (b Builder) cached(key string, build func(into string) error) (string, error) {
	folder := filepath.Join(b.Cache, key)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return "", err
	}
	b.sweep()
	temporary, err := os.MkdirTemp(b.Cache, ".building-"+key+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if err := build(temporary); err != nil {
		return "", err
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(temporary, folder); err != nil {
		if _, statErr := os.Stat(folder); statErr == nil {
			return folder, nil // another devcluster was faster
		}
		return "", err
	}
	return folder, nil
}

// sweep deletes what builds left behind that were killed. None takes a day.
func (b Builder) sweep() {
	left, _ := filepath.Glob(filepath.Join(b.Cache, ".building-*"))
	for _, folder := range left {
		if info, err := os.Stat(folder); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(folder)
		}
	}
}

// key names the cache folder: a change of any input is another folder.
func (b Builder) key(c Component) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH, c.Package, c.Output, c.Links, c.Cgo, c.Tags, c.LDFlags, c.Static)
	for _, input := range c.Inputs {
		content, err := os.ReadFile(filepath.Join(b.Source, c.Folder, input))
		if err != nil {
			return "", fmt.Errorf("source of %s: %w: set ASSAY_DEVCLUSTER_SOURCE to the folder deploy/devcluster", c.Name, err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", input, len(content), content)
	}
	return fmt.Sprintf("%s-%s-%s", c.Name, c.Version, hex.EncodeToString(hash.Sum(nil))[:12]), nil
}

func (b Builder) build(ctx context.Context, c Component, into string) error {
	start := b.announce(c)
	for _, pkg := range c.Package {
		if err := b.run(ctx, c, b.command(ctx, c, pkg, into), start); err != nil {
			return fmt.Errorf("build %s: %w", pkg, err)
		}
	}
	for _, link := range c.Links {
		if err := os.Symlink(c.Output, filepath.Join(into, link)); err != nil {
			return err
		}
	}
	if err := b.copyStatic(ctx, c, into); err != nil {
		return fmt.Errorf("static files of %s: %w", c.Name, err)
	}
	fmt.Fprintf(b.Out, "built %s in %s\n", c.Name, time.Since(start).Round(time.Second))
	return nil
}

func (b Builder) announce(c Component) time.Time {
	fmt.Fprintf(b.Out, "building %s %s", c.Name, c.Version)
	if c.Note != "" {
		fmt.Fprintf(b.Out, " (%s)", c.Note)
	}
	fmt.Fprintln(b.Out)
	return time.Now()
}

func (b Builder) command(ctx context.Context, c Component, pkg, into string) *exec.Cmd {
	args := []string{"-trimpath", "-buildvcs=false", "-ldflags", strings.TrimSpace("-s -w " + c.LDFlags)}
	if c.Tags != "" {
		args = append(args, "-tags", c.Tags)
	}
	var command *exec.Cmd
	if c.Folder == "" {
		command = exec.CommandContext(ctx, "go", append(append([]string{"install"}, args...), pkg+"@"+c.Version)...)
		command.Dir = into
	} else {
		args = append(args, "-o", filepath.Join(into, c.Output))
		command = exec.CommandContext(ctx, "go", append(append([]string{"build"}, args...), pkg)...)
		command.Dir = filepath.Join(b.Source, c.Folder)
	}
	cgo := "0"
	if c.Cgo {
		cgo = "1"
	}
	command.Env = append(os.Environ(), "CGO_ENABLED="+cgo, "GOBIN="+into, "GOFLAGS=", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	return command
}

// copyStatic copies folders out of the module cache, which may be cleaned at any time and whose files can't be written.
func (b Builder) copyStatic(ctx context.Context, c Component, into string) error {
	if len(c.Static) == 0 {
		return nil
	}
	module, err := b.moduleFolder(ctx, c)
	if err != nil {
		return err
	}
	for _, folder := range c.Static {
		from := os.DirFS(filepath.Join(module, folder))
		if err := os.CopyFS(filepath.Join(into, "static", folder), from); err != nil {
			return err
		}
	}
	return nil
}

// moduleFolder is where the module cache has the component's first package's module.
func (b Builder) moduleFolder(ctx context.Context, c Component) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module.Dir}}", c.Package[0])
	list.Dir = filepath.Join(b.Source, c.Folder)
	list.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	folder, err := list.Output()
	return strings.TrimSpace(string(folder)), err
}

// run waits for the command and says every half minute that it is still at it.
func (b Builder) run(ctx context.Context, c Component, command *exec.Cmd, start time.Time) error {
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%w\n%s", err, strings.TrimSpace(output.String()))
			}
			return nil
		case <-tick.C:
			fmt.Fprintf(b.Out, "still building %s, %s so far\n", c.Name, time.Since(start).Round(time.Second))
		}
	}
}
