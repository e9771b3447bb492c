package render

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
)

// tripwire notices when kustomize reaches for the network: it has no ways but the default
// transport, and a program called git.
type tripwire struct {
	requests atomic.Int64
	ran      string // a file that git writes
}

func (w *tripwire) RoundTrip(*http.Request) (*http.Response, error) {
	w.requests.Add(1)
	return nil, errors.New("there is no network")
}

// tripped says whether anything was reached for.
func (w *tripwire) tripped() (request, git bool) {
	_, err := os.Stat(w.ran)
	return w.requests.Load() > 0, err == nil
}

func setTripwire(t testing.TB) *tripwire {
	t.Helper()
	dir := t.TempDir()
	w := &tripwire{ran: filepath.Join(dir, "ran")}
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte("#!/bin/sh\n: > '"+w.ran+"'\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	before := http.DefaultTransport
	http.DefaultTransport = w
	t.Cleanup(func() { http.DefaultTransport = before })
	return w
}

// TestTripwire: kustomize on its own does reach for what a kustomization names, and is noticed.
func TestTripwire(t *testing.T) {
	w := setTripwire(t)
	files := map[string][]byte{"k/kustomization.yaml": []byte("resources: [https://evil.example/x/y]")}
	if _, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(newMemory(context.Background(), files), "/k"); err == nil {
		t.Error("it is rendered")
	}
	if request, git := w.tripped(); !request || !git {
		t.Errorf("a request is noticed: %v; git: %v", request, git)
	}
}

// FuzzRender: whatever a repository holds, kustomize included, rendering ends in faults of the
// user or in a catalog of what was read, and reaches for nothing outside.
func FuzzRender(f *testing.F) {
	addTrees(f)
	w := setTripwire(f)
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		tree, overlay := asTree(text), fuzzedOverlays[int(which)%len(fuzzedOverlays)]
		c, err := Render(context.Background(), tree, overlay, fuzzedLimits)
		if request, git := w.tripped(); request || git {
			t.Fatalf("it reaches out: by a request %v, with git %v", request, git)
		}
		if err != nil {
			checkFaults(t, err)
			return
		}
		checkRead(t, tree, c.Files)
		read := map[string]bool{"": true} // a patch may have taken the file away
		for _, file := range c.Files {
			read[file] = true
		}
		for _, suite := range c.Suites {
			if !read[suite.File] || suite.Digest == "" {
				t.Errorf("suite %q of %q, with the digest %q", suite.Name, suite.File, suite.Digest)
			}
		}
	})
}
