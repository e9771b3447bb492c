package binaries

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// What builds Gitea's web assets: its Go module has their sources only, and Debian's node is too old for them.
const (
	nodeVersion = "22.23.3"
	pnpmVersion = "10.33.0"
)

var giteaPages = Component{Name: "gitea-pages", Version: GiteaVersion, Note: "takes about two minutes the first time; needs npm"}

func pagesKey() string {
	return fmt.Sprintf("gitea-pages-%s-node-%s-pnpm-%s", GiteaVersion, nodeVersion, pnpmVersion)
}

// GiteaPages returns the folder of Gitea's style sheets and scripts if the cache has it, else nothing.
func (b Builder) GiteaPages() (folder string, cached bool) {
	folder = filepath.Join(b.Cache, pagesKey())
	_, err := os.Stat(folder)
	return folder, err == nil
}

// EnsureGiteaPages builds them with Gitea's own recipe: the locked packages, then vite.
func (b Builder) EnsureGiteaPages(ctx context.Context) (string, error) {
	return b.cached(pagesKey(), func(into string) error {
		if _, err := exec.LookPath("npm"); err != nil {
			return fmt.Errorf("gitea's pages: %w: install npm (Debian: apt-get install npm), or go without", err)
		}
		module, err := b.moduleFolder(ctx, Gitea)
		if err != nil {
			return err
		}
		work, err := os.MkdirTemp(b.Cache, ".building-gitea-pages-work-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		return b.buildPages(ctx, module, work, into)
	})
}

func (b Builder) buildPages(ctx context.Context, module, work, into string) error {
	start := b.announce(giteaPages)
	tools, source := filepath.Join(work, "tools"), filepath.Join(work, "source")
	if err := os.CopyFS(source, os.DirFS(module)); err != nil {
		return err
	}
	if err := os.Mkdir(tools, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tools, "package.json"), []byte("{}"), 0o644); err != nil {
		return err
	}
	path := "PATH=" + filepath.Join(tools, "node_modules", ".bin") + ":" + os.Getenv("PATH")
	for _, step := range []struct {
		folder string
		line   []string
	}{
		{tools, []string{"npm", "install", "--no-audit", "--no-fund", "node@" + nodeVersion, "pnpm@" + pnpmVersion}},
		{source, []string{"pnpm", "install", "--frozen-lockfile", "--prod", "--ignore-scripts"}},
		{source, []string{"pnpm", "exec", "vite", "build"}},
	} {
		// The program is looked up on the PATH that the step itself gets.
		command := exec.CommandContext(ctx, "env", append([]string{path, "NODE_ENV=production", "CI=true"}, step.line...)...)
		command.Dir = step.folder
		if err := b.run(ctx, giteaPages, command, start); err != nil {
			return fmt.Errorf("gitea's pages: %v: %w", step.line, err)
		}
	}
	if err := os.CopyFS(into, os.DirFS(filepath.Join(source, "public", "assets"))); err != nil {
		return err
	}
	fmt.Fprintf(b.Out, "built %s in %s\n", giteaPages.Name, time.Since(start).Round(time.Second))
	return nil
}
