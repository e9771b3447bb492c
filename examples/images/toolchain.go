package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/assay-dev/assay/deploy/devcluster/image"
)

const (
	goRoot  = "/usr/local/go"
	goCache = "/var/cache/go-build"
)

// goToolchain is the Go toolchain that runs this program, cut to what compiling and linking
// tests needs, with a build cache in which the packages of warm/ are compiled already, and
// seedgo in front of it.
func goToolchain(b builder) (image.Spec, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return image.Spec{}, fmt.Errorf("go env GOROOT: %w", err)
	}
	files, err := toolchain(strings.TrimSpace(string(root)))
	if err != nil {
		return image.Spec{}, err
	}
	cache, err := b.warmCache()
	if err != nil {
		return image.Spec{}, err
	}
	seedgo, err := b.compile("images", "./seedgo", "/usr/local/bin/go")
	if err != nil {
		return image.Spec{}, err
	}
	files = append(files, image.Accounts()...)
	files = append(files, image.CACertificates(), seedgo)
	return image.Spec{
		Tag:        "assay.dev/tools/go:dev",
		Files:      append(files, cache...),
		Entrypoint: []string{"go"},
		Env:        []string{searchPath, "CGO_ENABLED=0", "GOTOOLCHAIN=local"},
		User:       nonroot,
	}, nil
}

// toolchain lists go, the tools of a build, and the sources of the standard library.
func toolchain(root string) ([]image.File, error) {
	files := []image.File{
		{Path: goRoot + "/VERSION", Source: root + "/VERSION"},
		{Path: goRoot + "/go.env", Source: root + "/go.env"},
		{Path: goRoot + "/bin/go", Source: root + "/bin/go", Mode: 0o755},
	}
	for _, tool := range []string{"asm", "compile", "link", "vet"} {
		name := "/pkg/tool/" + runtime.GOOS + "_" + runtime.GOARCH + "/" + tool
		files = append(files, image.File{Path: goRoot + name, Source: root + name, Mode: 0o755})
	}
	sources, err := image.Directory(goRoot+"/src", root+"/src")
	for _, f := range sources {
		if f.Mode.IsRegular() && !leftOut(strings.TrimPrefix(f.Path, goRoot+"/src/")) {
			f.Mode = 0o644
			files = append(files, f)
		}
	}
	return files, err
}

// leftOut says which sources a build of a test never reads.
func leftOut(name string) bool {
	return strings.HasPrefix(name, "cmd/") ||
		strings.Contains(name, "/testdata/") ||
		strings.HasSuffix(name, "_test.go") ||
		!strings.Contains(path.Base(name), ".") ||
		path.Ext(name) == ".bash"
}

// warmCache tests the package warm with a build cache of its own and lists that cache. The
// test of a module elsewhere finds the standard library in it: entries are found by what was
// compiled, not by where.
func (b builder) warmCache() ([]image.File, error) {
	folder := filepath.Join(b.out, "cache", runtime.Version())
	if _, err := os.Stat(folder); err != nil {
		fmt.Fprintln(os.Stderr, "go     its build cache is filled: a minute the first time")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	command := exec.Command("go", "test", "./warm")
	command.Dir = filepath.Join(b.examples, "images")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOCACHE="+folder)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("go test in %s: %w", command.Dir, err)
	}
	entries, err := image.Directory(goCache, folder)
	var files []image.File
	for _, f := range entries {
		if path.Base(f.Path) == "trim.txt" || path.Base(f.Path) == "testexpire.txt" {
			continue // they hold times, which would make every image another
		}
		f.Mode &^= 0o022
		files = append(files, f)
	}
	return files, err
}
