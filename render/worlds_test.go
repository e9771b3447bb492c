package render

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

var update = flag.Bool("update", false, "rewrite what the tests expect")

// world is a repository at two commits. Files below base are in both, unless there is another
// below head. The sections: overlay (default tests/overlays/staging), ask (YAML of what the
// plan is for), plan and suites (what is expected).
type world struct {
	name       string
	archive    *txtar.Archive
	base, head fstest.MapFS
	changed    []string
}

func readWorlds(t testing.TB, pattern string) []world {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no worlds at %s: %v", pattern, err)
	}
	var worlds []world
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w := world{name: name, archive: archive, base: fstest.MapFS{}, head: fstest.MapFS{}}
		for _, f := range archive.Files {
			if path, ok := strings.CutPrefix(f.Name, "base/"); ok {
				w.base[path] = &fstest.MapFile{Data: f.Data}
				w.head[path] = w.base[path]
			}
		}
		for _, f := range archive.Files {
			if path, ok := strings.CutPrefix(f.Name, "head/"); ok {
				w.head[path] = &fstest.MapFile{Data: f.Data}
				w.changed = append(w.changed, path)
			}
		}
		worlds = append(worlds, w)
	}
	return worlds
}

// section gives what is written under the name; nil when there is nothing of it.
func (w world) section(name string) *txtar.File {
	for i := range w.archive.Files {
		if w.archive.Files[i].Name == name {
			return &w.archive.Files[i]
		}
	}
	return nil
}

func (w world) title() string { return strings.TrimSuffix(filepath.Base(w.name), ".txtar") }

func (w world) overlay() string {
	if f := w.section("overlay"); f != nil {
		return strings.TrimSpace(string(f.Data))
	}
	return "tests/overlays/staging"
}

// expect compares a section with what came out, or rewrites it.
func (w world) expect(t *testing.T, name, got string) {
	t.Helper()
	f := w.section(name)
	if f == nil {
		return
	}
	if *update {
		f.Data = []byte(got)
		if err := os.WriteFile(w.name, txtar.Format(w.archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(f.Data), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestWorlds(t *testing.T) {
	for _, w := range readWorlds(t, "testdata/worlds/*.txtar") {
		t.Run(w.title(), func(t *testing.T) {
			head, err := Render(context.Background(), w.head, w.overlay(), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			base, err := Render(context.Background(), w.base, w.overlay(), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			w.expect(t, "suites", suitesText(t, head))
			in := catalog.PlanInput{Head: head, Base: &base, Changed: w.changed, ChangedKnown: true}
			var ask struct {
				Cause     v1alpha1.Cause `json:"cause"`
				Branch    string         `json:"branch"`
				Requested []string       `json:"requested"`
			}
			if err := yaml.UnmarshalStrict(w.section("ask").Data, &ask); err != nil {
				t.Fatal(err)
			}
			in.Cause, in.Branch, in.Requested = ask.Cause, ask.Branch, ask.Requested
			plan, err := catalog.Plan(in)
			if err != nil {
				t.Fatal(err)
			}
			w.expect(t, "plan", planText(plan))
		})
	}
}

func planText(plan []v1alpha1.PlannedSuite) string {
	var b strings.Builder
	for _, p := range plan {
		verb := "leave out"
		if p.Run {
			verb = "run"
		}
		fmt.Fprintf(&b, "%s %s, defined in %s\n", verb, p.Suite, p.File)
		for _, reason := range p.Reasons {
			fmt.Fprintf(&b, "    %s\n", reason)
		}
	}
	return b.String()
}

func suitesText(t *testing.T, c catalog.Catalog) string {
	t.Helper()
	var b strings.Builder
	for _, s := range c.Suites {
		text, err := yaml.Marshal(s.TestSuite)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "# %s\n%s", s.File, text)
	}
	fmt.Fprintf(&b, "# read: %s\n", strings.Join(c.Files, ", "))
	return b.String()
}

// TestRefused reads the worlds of testdata/refused: what a repository can hold that is not
// rendered, and the errors it gets.
func TestRefused(t *testing.T) {
	for _, w := range readWorlds(t, "testdata/refused/*.txtar") {
		t.Run(w.title(), func(t *testing.T) {
			_, err := Render(context.Background(), w.head, w.overlay(), Limits{})
			if err == nil {
				t.Fatal("it is rendered")
			}
			var lines []string
			for _, f := range fault.All(err) {
				if f.Kind() != fault.User {
					t.Errorf("%v is not classified as the user's", f)
				}
				lines = append(lines, fmt.Sprintf("%s: %s\n", f.Reason, f))
			}
			w.expect(t, "errors", strings.Join(lines, ""))
		})
	}
}

// TestNothingInternalIsLeft: annotations that rendering uses do not reach the catalog, and do
// not change digests.
func TestNothingInternalIsLeft(t *testing.T) {
	for _, w := range readWorlds(t, "testdata/worlds/*.txtar") {
		c, err := Render(context.Background(), w.head, w.overlay(), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.Suites {
			if len(s.Annotations) > 0 {
				t.Errorf("%s: %s has the annotations %v", w.name, s.Name, s.Annotations)
			}
		}
		again, err := Render(context.Background(), w.head, w.overlay(), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("%s: rendering twice differs:\n%s", w.name, diff)
		}
	}
}
