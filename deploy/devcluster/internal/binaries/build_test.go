package binaries

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func testBuilder(t *testing.T) (Builder, Component, *bytes.Buffer) {
	t.Helper()
	source := t.TempDir()
	for name, content := range map[string]string{
		"hello/go.mod":  "module example.com/hello\n\ngo 1.26\n",
		"hello/main.go": "package main\n\nvar version string\n\nfunc main() { print(version) }\n",
	} {
		path := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	component := Component{
		Name: "hello", Version: "v1", Note: "takes a second", Folder: "hello", Inputs: []string{"go.mod", "main.go"},
		Package: []string{"."}, Output: "hello", Links: []string{"other-name"}, LDFlags: "-X main.version=fine",
	}
	return Builder{Source: source, Cache: filepath.Join(t.TempDir(), "cache"), Out: &out}, component, &out
}

func TestEnsureBuildsOnceAndLinks(t *testing.T) {
	b, component, out := testBuilder(t)
	folder, err := b.Ensure(context.Background(), component)
	if err != nil {
		t.Fatal(err)
	}
	printed, err := exec.Command(filepath.Join(folder, "other-name")).CombinedOutput()
	if err != nil || string(printed) != "fine" {
		t.Errorf("the program printed %q, %v", printed, err)
	}
	if said := out.String(); !strings.Contains(said, "building hello v1 (takes a second)") || !strings.Contains(said, "built hello in") {
		t.Errorf("the builder said %q", said)
	}
	out.Reset()
	again, err := b.Ensure(context.Background(), component)
	if err != nil || again != folder || out.Len() > 0 {
		t.Errorf("the second time gave %q, %v and said %q", again, err, out)
	}
}

func TestAChangedInputIsAnotherBuild(t *testing.T) {
	b, component, _ := testBuilder(t)
	before, err := b.key(component)
	if err != nil {
		t.Fatal(err)
	}
	flags := component
	flags.LDFlags = ""
	if key, _ := b.key(flags); key == before {
		t.Error("other flags have the same key")
	}
	if err := os.WriteFile(filepath.Join(b.Source, "hello", "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if key, _ := b.key(component); key == before {
		t.Error("another source has the same key")
	}
}

func TestAFailedBuildIsNotCached(t *testing.T) {
	b, component, _ := testBuilder(t)
	if err := os.WriteFile(filepath.Join(b.Source, "hello", "main.go"), []byte("package main\n\nfunc main() { undefined() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Ensure(context.Background(), component); err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("got %v, want the compiler's words", err)
	}
	entries, err := os.ReadDir(b.Cache)
	if err != nil || len(entries) > 0 {
		t.Errorf("the cache holds %v, %v", entries, err)
	}
}

func TestAMissingSourceIsExplained(t *testing.T) {
	b, component, _ := testBuilder(t)
	b.Source = t.TempDir()
	if _, err := b.Ensure(context.Background(), component); err == nil || !strings.Contains(err.Error(), "ASSAY_DEVCLUSTER_SOURCE") {
		t.Errorf("got %v", err)
	}
}

// TestVersionsAgree compares the versions that are shown with those that the modules pin.
func TestVersionsAgree(t *testing.T) {
	for file, lines := range map[string][]string{
		"kubernetes/go.mod": {"k8s.io/kubernetes " + KubernetesVersion, "github.com/coredns/coredns " + CoreDNSVersion},
		"gitea/go.mod":      {"code.gitea.io/gitea " + GiteaVersion},
	} {
		content, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(content), line+"\n") {
				t.Errorf("%s does not say %q", file, line)
			}
		}
	}
}
