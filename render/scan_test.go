package render

//lint:file-ignore SA1019 fields that kustomize has given up are followed, so they are tested

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/assay-dev/assay/api/fault"
)

const (
	overlay = "tests/overlays/staging"
	suiteA  = "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: a}\nspec: {tool: k6}\n"
)

// tree makes files below the overlay.
func tree(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range files {
		m[overlay+"/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	return m
}

// TestRemoteReferencesAreRefusedInEveryField: no field that can name a file or a folder gets
// around the check.
func TestRemoteReferencesAreRefusedInEveryField(t *testing.T) {
	const url = "https://evil.example/x?ref=main"
	for _, text := range []string{
		"resources: [a.yaml, %q]",
		"bases: [%q]",
		"components: [%q]",
		"patches: [{path: %q}]",
		"patchesJson6902: [{path: %q, target: {kind: TestSuite, name: a, version: v1}}]",
		"patchesStrategicMerge: [%q]",
		"replacements: [{path: %q}]",
		"configurations: [%q]",
		"configMapGenerator: [{name: c, files: [%q]}]",
		"configMapGenerator: [{name: c, envs: [%q]}]",
		"configMapGenerator: [{name: c, env: %q}]",
		"secretGenerator: [{name: c, envs: [%q]}]",
		"Resources: [%q]",
		"<<: {resources: [%q]}",
	} {
		t.Run(text, func(t *testing.T) {
			value := url
			if strings.Contains(text, "files:") { // a query would be one = too many
				value = "key=https://evil.example/x"
			}
			_, err := Render(context.Background(), tree(map[string]string{"kustomization.yaml": fmt.Sprintf(text, value), "a.yaml": suiteA}), overlay, Limits{})
			if err == nil {
				t.Fatal("it is rendered")
			}
			want := fault.RemoteReferenceRefused
			if strings.HasPrefix(text, "Resources") { // kustomize would take the field in any case
				want = fault.InvalidCatalog
			}
			if got := fault.ReasonOf(err); got != want {
				t.Errorf("got %s (%v), want %s", got, err, want)
			}
		})
	}
}

// TestFieldsOfKustomize goes through kustomize's own type: each field is followed, refused, or
// known to hold no path. A new field of a new kustomize makes it fail.
func TestFieldsOfKustomize(t *testing.T) {
	harmless := []string{
		"apiVersion", "kind", "metadata", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels",
		"commonAnnotations", "images", "imageTags", "replicas", "sortOptions", "generatorOptions", "buildMetadata",
	}
	known := slices.Concat(harmless, walked, sorted(refused))
	slices.Sort(known)
	if diff := gocmp.Diff(known, jsonFields(reflect.TypeFor[types.Kustomization]())); diff != "" {
		t.Errorf("fields of kustomize (-known +there):\n%s", diff)
	}
}

// TestNestedFieldsOfKustomize goes through all that kustomize's own type holds, however deep.
// testdata/kustomization-fields.txt has every field with a text in it, and what becomes of it:
// followed as a path, or plain, which means that kustomize never takes it for a path. A new
// field has no line there, so somebody has to decide.
func TestNestedFieldsOfKustomize(t *testing.T) {
	const file = "testdata/kustomization-fields.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decided := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if path, what, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			decided[path] = what
		}
	}
	there := map[string]bool{}
	texts(reflect.TypeFor[types.Kustomization](), "", func(path string) { there[path] = true })
	for _, path := range slices.Sorted(maps.Keys(there)) {
		top, _, _ := strings.Cut(strings.TrimSuffix(path, "[]"), ".")
		top = strings.TrimSuffix(top, "[]")
		if _, isRefused := refused[top]; isRefused {
			continue
		}
		switch decided[path] {
		case "plain":
		case "followed":
			if !slices.Contains(walked, top) {
				t.Errorf("%s is in no field that is followed", path)
			}
		default:
			t.Errorf("%s says nothing on %s", file, path)
		}
	}
	for path := range decided {
		if !there[path] {
			t.Errorf("%s is not a field of kustomize any more", path)
		}
	}
}

// texts visits each field of the type that holds a text, by its path.
func texts(t reflect.Type, path string, visit func(path string)) {
	switch t.Kind() {
	case reflect.Pointer:
		texts(t.Elem(), path, visit)
	case reflect.Slice:
		texts(t.Elem(), path+"[]", visit)
	case reflect.Map:
		texts(t.Elem(), path+".*", visit)
	case reflect.String, reflect.Interface:
		visit(path)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			switch name, inlined, ok := jsonField(f); {
			case !ok:
			case inlined:
				texts(f.Type, path, visit)
			default:
				texts(f.Type, strings.TrimPrefix(path+"."+name, "."), visit)
			}
		}
	}
}

// jsonField gives the name of a field in JSON, or says that its own fields stand in its place;
// not ok is one that JSON does not have.
func jsonField(f reflect.StructField) (name string, inlined, ok bool) {
	name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" || !f.IsExported() {
		return "", false, false
	}
	return cmp.Or(name, f.Name), name == "" && f.Anonymous, true
}

func jsonFields(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		switch name, inlined, ok := jsonField(t.Field(i)); {
		case !ok:
		case inlined:
			names = append(names, jsonFields(t.Field(i).Type)...)
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestSymlinksAreRefused(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.yaml")
	for name, link := range map[string]struct{ from, to, kustomization string }{
		"a suite":               {"a.yaml", outside, "resources: [a.yaml]"},
		"a folder":              {"sub", filepath.Dir(outside), "resources: [sub]"},
		"a folder on the way":   {"sub", filepath.Dir(outside), "resources: [sub/secret.yaml]"},
		"a patch":               {"p.yaml", outside, "resources: [b.yaml]\npatches: [{path: p.yaml}]"},
		"data of a generator":   {"d.txt", outside, "configMapGenerator: [{name: c, files: [d.txt]}]"},
		"inside the repository": {"a.yaml", "b.yaml", "resources: [a.yaml]"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, filepath.FromSlash(overlay))
			write(t, outside, suiteA)
			write(t, filepath.Join(dir, "kustomization.yaml"), link.kustomization)
			write(t, filepath.Join(dir, "b.yaml"), suiteA)
			if err := os.Symlink(link.to, filepath.Join(dir, link.from)); err != nil {
				t.Fatal(err)
			}
			_, err := Render(context.Background(), os.DirFS(root), overlay, Limits{})
			if err == nil || fault.ReasonOf(err) != fault.SymlinkRefused {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("the overlay itself", func(t *testing.T) {
		root := t.TempDir()
		write(t, filepath.Join(root, "tests/overlays/prod/kustomization.yaml"), "resources: []")
		if err := os.Symlink("prod", filepath.Join(root, "tests/overlays/staging")); err != nil {
			t.Fatal(err)
		}
		_, err := Render(context.Background(), os.DirFS(root), overlay, Limits{})
		if err == nil || fault.ReasonOf(err) != fault.SymlinkRefused {
			t.Errorf("got %v", err)
		}
	})
}

func write(t *testing.T, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLimits(t *testing.T) {
	chain := func(n int) fstest.MapFS { // each kustomization includes the next one twice
		m := tree(map[string]string{"kustomization.yaml": "resources: [../k0]"})
		for i := range n {
			m[fmt.Sprintf("tests/overlays/k%d/kustomization.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "resources: [../k%d, ../../overlays/k%d]", i+1, i+1)}
		}
		m[fmt.Sprintf("tests/overlays/k%d/kustomization.yaml", n)] = &fstest.MapFile{Data: []byte("namePrefix: x-")}
		return m
	}
	suites := func(n int, extra string) fstest.MapFS {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "---\n%s", strings.Replace(suiteA, "name: a", fmt.Sprintf("name: a%d", i), 1))
		}
		return tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]\n" + extra, "a.yaml": b.String()})
	}
	replacements := func(n int, delimiter string) string {
		var b strings.Builder
		b.WriteString("replacements:\n")
		for range n {
			fmt.Fprintf(&b, "- source: {kind: TestSuite, name: a0, fieldPath: metadata.name}\n  targets:\n  - select: {kind: TestSuite}\n    fieldPaths: [spec.image]\n    options: {create: true%s}\n", delimiter)
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		tree   fs.FS
		limits Limits
		ok     bool
	}{
		"a file that is too large":               {tree: tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": suiteA + strings.Repeat("#", 2000)}), limits: Limits{FileBytes: 1000}},
		"a file of the default size":             {tree: tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": suiteA + strings.Repeat("#", 1<<20)})},
		"a kustomization that is too large":      {tree: tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]" + strings.Repeat("#", 2000), "a.yaml": suiteA}), limits: Limits{FileBytes: 1000}},
		"files that are too large together":      {tree: tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": suiteA + strings.Repeat("#", 2000)}), limits: Limits{TotalBytes: 1000}},
		"too many files":                         {tree: tree(map[string]string{"kustomization.yaml": "resources: [a.yaml, b.yaml]", "a.yaml": suiteA, "b.yaml": suiteA}), limits: Limits{Files: 2}},
		"too deep":                               {tree: chain(20)},
		"too many ways":                          {tree: chain(14)},
		"too many suites":                        {tree: suites(11, ""), limits: Limits{Suites: 10}},
		"enough suites":                          {tree: suites(10, ""), limits: Limits{Suites: 10}, ok: true},
		"too many generated objects":             {tree: suites(5, "configMapGenerator: ["+strings.Repeat("{},", 10)+"]"), limits: Limits{Suites: 10}},
		"too much work":                          {tree: suites(900, replacements(80, ""))},
		"some work":                              {tree: suites(50, replacements(20, "")), ok: true},
		"replacements that double what is there": {tree: suites(1, replacements(20, `, delimiter: ",", index: 99`))},
		"aliases of aliases": {tree: tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]", "a.yaml": suiteA,
			"p.yaml": "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"})},
		"too long": {tree: suites(500, replacements(50, "")), limits: Limits{Time: time.Nanosecond}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Render(context.Background(), test.tree, overlay, test.limits)
			switch {
			case test.ok && err != nil:
				t.Errorf("got %v", err)
			case !test.ok && (err == nil || fault.ReasonOf(err) != fault.LimitExceeded):
				t.Errorf("got %v, want %s", err, fault.LimitExceeded)
			}
		})
	}
}

func TestContextEndsRendering(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Render(ctx, tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": suiteA}), overlay, Limits{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// brokenFS fails as a Git host that goes away does.
type brokenFS struct{ fs.FS }

var errGone = fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer")

func (b brokenFS) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, "a.yaml") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errGone}
	}
	return b.FS.Open(name)
}

func TestFaultsOfTheTreeKeepTheirReason(t *testing.T) {
	_, err := Render(context.Background(), brokenFS{tree(map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": suiteA})}, overlay, Limits{})
	if err == nil || fault.ReasonOf(err) != fault.HostUnreachable {
		t.Errorf("got %v", err)
	}
}

// TestTheProcessDoesNotLeak: older kustomize reads variables of the process into generated
// objects when a line has no value, which replacements could carry into a suite.
func TestTheProcessDoesNotLeak(t *testing.T) {
	t.Setenv("ASSAY_TEST_SECRET", "top-secret")
	c, err := Render(context.Background(), tree(map[string]string{
		"kustomization.yaml": "resources: [a.yaml]\nconfigMapGenerator:\n- name: c\n  envs: [e.env]\n  options: {annotations: {config.kubernetes.io/local-config: \"true\"}}\n" +
			"replacements:\n- source: {kind: ConfigMap, fieldPath: data.ASSAY_TEST_SECRET}\n  targets:\n  - select: {kind: TestSuite}\n    fieldPaths: [spec.image]\n    options: {create: true}\n",
		"e.env":  "ASSAY_TEST_SECRET\n",
		"a.yaml": suiteA,
	}), overlay, Limits{})
	if data, _ := json.Marshal(c); strings.Contains(string(data), "top-secret") || err != nil && strings.Contains(err.Error(), "top-secret") {
		t.Errorf("a variable of the process is in the catalog: %s, %v", data, err)
	}
}

// TestOverlayMayIncludeWhatItLiesIn, which kustomize on its own takes for a circle.
func TestOverlayMayIncludeWhatItLiesIn(t *testing.T) {
	m := fstest.MapFS{
		"kustomization.yaml":       {Data: []byte("resources: [a.yaml]")},
		"a.yaml":                   {Data: []byte(suiteA)},
		overlay + "/Kustomization": {Data: []byte("resources: [../../..]\nnameSuffix: -b")},
	}
	c, err := Render(context.Background(), m, overlay+"/", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Suites) != 1 || c.Suites[0].Name != "a-b" || c.Suites[0].File != "a.yaml" {
		t.Errorf("got %+v", c.Suites)
	}
	if diff := gocmp.Diff([]string{"a.yaml", "kustomization.yaml", overlay + "/Kustomization"}, c.Files); diff != "" {
		t.Error(diff)
	}
}

// TestOddCharactersArriveAsTheyAre: JSON leaves them bare, and YAML would take them for the end
// of a line, or not at all.
func TestOddCharactersArriveAsTheyAre(t *testing.T) {
	c, err := Render(context.Background(), tree(map[string]string{
		"kustomization.yaml": "resources: [\"a\\Nb.yaml\"]\npatches:\n- target: {kind: TestSuite}\n  patch: '[{op: add, path: /spec/args, value: [\"a\\Nb\", \"\\x7f\\x80\", \"\\uFEFF\"]}]'\n",
		"a\u0085b.yaml":      suiteA,
	}), overlay, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]string{"a\u0085b", "\x7f\u0080", "\ufeff"}, c.Suites[0].Spec.Args); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if want := overlay + "/a\u0085b.yaml"; c.Suites[0].File != want {
		t.Errorf("it is defined in %q, want %q", c.Suites[0].File, want)
	}
}
