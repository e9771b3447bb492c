package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/assay-dev/assay/deploy/devcluster/image"
)

// builder compiles and writes below one folder.
type builder struct {
	out      string // the tars, and bin and cache for what is kept
	examples string // the folder examples of this repository
}

func newBuilder(out string) (builder, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return builder{}, err
	}
	_, here, _, found := runtime.Caller(0)
	if !found || !filepath.IsAbs(here) {
		return builder{}, errors.New("cannot tell where the sources are: build without -trimpath")
	}
	if err := ensurePackage(image.CACertificates().Source, "ca-certificates"); err != nil {
		return builder{}, err
	}
	return builder{out: out, examples: filepath.Dir(filepath.Dir(here))}, os.MkdirAll(filepath.Join(out, "bin"), 0o755)
}

// build writes the image unless its tar is there and was made of the same.
func (b builder) build(r recipe) (string, error) {
	start := time.Now()
	spec, err := r.spec(b)
	if err != nil {
		return "", err
	}
	inputs, err := fingerprint(spec)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(b.out, r.name+".tar")
	record := archive + ".inputs"
	if before, err := os.ReadFile(record); err == nil && string(before) == inputs {
		if _, err := os.Stat(archive); err == nil {
			fmt.Fprintf(os.Stderr, "%-6s %s is up to date\n", r.name, spec.Tag)
			return archive, nil
		}
	}
	if err := image.Write(archive, spec); err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "%-6s %s built in %.0f s\n", r.name, spec.Tag, time.Since(start).Seconds())
	return archive, os.WriteFile(record, []byte(inputs), 0o644)
}

// fingerprint gives a hash of all that goes into the image.
func fingerprint(spec image.Spec) (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(spec); err != nil {
		return "", err
	}
	for _, f := range spec.Files {
		if f.Source == "" {
			continue
		}
		file, err := os.Open(f.Source)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, file)
		file.Close()
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("sha256:%x\n", h.Sum(nil)), nil
}

// compile builds a command of the module in a folder of the examples as a static binary, and
// gives it as a file of the image.
func (b builder) compile(folder, pkg, target string) (image.File, error) {
	binary := filepath.Join(b.out, "bin", filepath.Base(target))
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, pkg)
	command.Dir = filepath.Join(b.examples, folder)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return image.File{}, fmt.Errorf("go build %s in %s: %w", pkg, command.Dir, err)
	}
	return image.File{Path: target, Source: binary, Mode: 0o755}, nil
}

// ensurePackage installs a Debian package unless its file is there.
func ensurePackage(file, name string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "installing %s\n", name)
	for _, args := range [][]string{{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", name}} {
		command := exec.Command("apt-get", args...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		command.Stdout, command.Stderr = os.Stderr, os.Stderr
		if err := command.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w: install the package %s", args[0], err, name)
		}
	}
	return nil
}
