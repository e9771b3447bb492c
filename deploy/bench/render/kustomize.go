package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// kustomizeVersion is the release of the program that has the library of go.mod inside; it is
// looked at once it is built.
const kustomizeVersion = "v5.8.2"

const libraryModule = "sigs.k8s.io/kustomize/api"

// buildKustomize gives the path of the program and its version.
func buildKustomize(ctx context.Context, dir string) (program, version string, err error) {
	bin := filepath.Join(dir, "bin")
	install := exec.CommandContext(ctx, "go", "install", "sigs.k8s.io/kustomize/kustomize/v5@"+kustomizeVersion)
	install.Env = append(os.Environ(), "GOBIN="+bin)
	if out, err := install.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("building kustomize: %w\n%s", err, out)
	}
	program = filepath.Join(bin, "kustomize")
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", "", err
	}
	own, ok := debug.ReadBuildInfo()
	if !ok {
		return "", "", errors.New("this program does not know its modules")
	}
	if theirs, ours := library(info), library(own); theirs != ours {
		return "", "", fmt.Errorf("kustomize %s has %s %s inside, and we have %s: mend kustomizeVersion", kustomizeVersion, libraryModule, theirs, ours)
	}
	return program, kustomizeVersion, nil
}

func library(info *debug.BuildInfo) string {
	for _, module := range info.Deps {
		if module.Path == libraryModule {
			return module.Version
		}
	}
	return "none"
}

// kustomizeBuilds runs the program once for each environment.
func kustomizeBuilds(ctx context.Context, program, dir string) (total cost, err error) {
	for _, environment := range environments {
		build := exec.CommandContext(ctx, program, "build", "tests/overlays/"+environment)
		build.Dir = dir
		var out, complaint bytes.Buffer
		build.Stdout, build.Stderr = &out, &complaint
		start := time.Now()
		if err := build.Run(); err != nil {
			return cost{}, fmt.Errorf("kustomize build: %w\n%s", err, complaint.String())
		}
		if !strings.Contains(out.String(), "kind: TestSuite") {
			return cost{}, errors.New("kustomize build gives no suites")
		}
		total.elapsed += time.Since(start)
		total.processor += build.ProcessState.UserTime() + build.ProcessState.SystemTime()
	}
	return total, nil
}
