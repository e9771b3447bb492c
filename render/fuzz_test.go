package render

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/assay-dev/assay/api/fault"
)

// addTrees begins fuzzing with every world, and with those hostile trees that are small.
func addTrees(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/worlds/*.txtar", "testdata/features/*.txtar", "testdata/refused/*.txtar"} {
		for _, w := range readWorlds(f, pattern) {
			which := slices.Index(fuzzedOverlays, w.overlay())
			if which < 0 {
				f.Fatalf("%s is for %q, which is not among %q", w.name, w.overlay(), fuzzedOverlays)
			}
			f.Add(uint8(which), asText(w.head))
			if len(w.base) > 0 && len(w.changed) > 0 {
				f.Add(uint8(which), asText(w.base))
			}
		}
	}
	for _, h := range hostileTrees() {
		if tree, ok := h.tree.(fstest.MapFS); ok && h.want != fault.LimitExceeded && len(tree) < 10 {
			if text := asText(tree); len(text) <= fuzzedBytes {
				f.Add(uint8(0), text)
			}
		}
	}
	f.Add(uint8(0), asText(tree(map[string]string{
		"kustomization.yaml": "resources: [\"a\\Nb.yaml\", link.yaml, sub]\npatches: [{path: p.yaml}]\nconfigurations: [c.yaml]\nconfigMapGenerator: [{name: c, files: [k=d, d], envs: [d], env: d}]\nreplacements: [{path: r.yaml}]\ncomponents: [sub]\n",
		"a\u0085b.yaml":      suiteA, "link.yaml@": "../../../secret", "p.yaml": suiteA, "c.yaml": "images: [{path: spec/image}]", "d": "a=b", "r.yaml": "[]", "sub/kustomization.yaml": "{}",
	})))
}

// fuzzedOverlays are those that the worlds are for.
var fuzzedOverlays = []string{overlay, "tests/overlays/prod", "tests"}

// fuzzedBytes bounds a tree: what is longer is slow, and no different.
const fuzzedBytes = 4 << 10

// fuzzedLimits are low enough for the fuzzer to come to them.
var fuzzedLimits = Limits{Files: 12, FileBytes: 2 << 10, Suites: 8, Depth: 4}.withDefaults()

// A tree as a text has a section for each file; the name of a symlink ends in @.

func asText(m fstest.MapFS) []byte {
	a := &txtar.Archive{}
	for _, name := range sorted(m) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: m[name].Data})
	}
	return txtar.Format(a)
}

func asTree(text []byte) fstest.MapFS {
	m := fstest.MapFS{}
	for _, f := range txtar.Parse(text[:min(len(text), fuzzedBytes)]).Files {
		name, link := strings.CutSuffix(f.Name, "@")
		if !fs.ValidPath(name) || name == "." {
			continue
		}
		m[name] = &fstest.MapFile{Data: f.Data}
		if link {
			m[name].Mode = fs.ModeSymlink
		}
	}
	return m
}

// FuzzScan: whatever a repository holds, scanning it ends in faults of the user or in what
// kustomize may have. There every reference is one that we made, to a file or folder that was
// scanned, and none is left in a field that we do not follow.
func FuzzScan(f *testing.F) {
	addTrees(f)
	followed := followedFields(f)
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		tree, overlay := asTree(text), fuzzedOverlays[int(which)%len(fuzzedOverlays)]
		if err := findOverlay(tree, overlay, fuzzedLimits); err != nil {
			checkFaults(t, err)
			return
		}
		s, err := scanOverlay(context.Background(), tree, overlay, fuzzedLimits, nil)
		if err != nil {
			checkFaults(t, err)
			return
		}
		checkRead(t, tree, s.readFiles())
		checkReferences(t, s.files, followed)
		for _, file := range sorted(s.suites) {
			files, err := s.filesOf(part{file: true})
			if err != nil {
				t.Fatal(err)
			}
			checkReferences(t, files, followed)
		}
	})
}

// checkFaults holds errors to what they promise.
func checkFaults(t *testing.T, err error) {
	t.Helper()
	for _, f := range fault.All(err) {
		if f.Kind() != fault.User {
			t.Errorf("not the user's fault: %v", f)
		}
		if text := f.Error(); len(text) > 4<<10 || strings.ContainsAny(text, "\n\r") || !utf8.ValidString(text) {
			t.Errorf("not one short line: %.500q", text)
		}
	}
}

// checkRead says whether each file that was read is a plain one of the tree, and lies behind no
// symlink.
func checkRead(t *testing.T, tree fstest.MapFS, files []string) {
	t.Helper()
	for _, file := range files {
		if tree[file] == nil {
			t.Errorf("%q was read, which is not there", file)
		}
		for name := file; name != "."; name = path.Dir(name) {
			if f := tree[name]; f != nil && f.Mode != 0 {
				t.Errorf("%q was read by the symlink %q", file, name)
			}
		}
	}
}

// TestChecksOfFuzzingFindWhatIsWrong shows the checks what a broken scan would let through.
func TestChecksOfFuzzingFindWhatIsWrong(t *testing.T) {
	followed := followedFields(t)
	const there = "repository/a.yaml"
	for text, wrong := range map[string]bool{
		`{"resources":["../../repository/a.yaml"]}`:                     false,
		`{"configMapGenerator":[{"files":["k=../../data/d"]}]}`:         false,
		`{"patches":[{"path":"../../patches/p.yaml"}]}`:                 false,
		`{"resources":["https://evil.example/x"]}`:                      true,
		`{"resources":["../../repository/b.yaml"]}`:                     true,
		`{"resources":["../../../../etc/passwd"]}`:                      true,
		`{"resources":["/repository/a.yaml"]}`:                          true,
		`{"bases":["github.com/x/y"]}`:                                  true,
		`{"components":["../../repository"]}`:                           true,
		`{"patchesStrategicMerge":["p.yaml"]}`:                          true,
		`{"patches":[{"path":"../../repository/a.yaml"}]}`:              true,
		`{"configMapGenerator":[{"env":"d"}]}`:                          true,
		`{"secretGenerator":[{"files":["../../data/d"]}]}`:              true,
		`{"configMapGenerator":[{"files":["k=https://evil.example"]}]}`: true,
		`{"helmCharts":[{"name":"x"}]}`:                                 true,
		`{"generators":["../../repository/a.yaml"]}`:                    true,
		`{"openapi":{"path":"../../repository/a.yaml"}}`:                true,
		`{"unknown":1}`: true,
	} {
		files := map[string][]byte{"kustomizations/x/kustomization.yaml": []byte(text), there: nil, "data/d": nil, "patches/p.yaml": nil}
		if found := strayReferences(files, followed); (len(found) > 0) != wrong {
			t.Errorf("%s: found %q", text, found)
		}
	}
}

// FuzzReference: a reference leads to a path in the tree or is refused, and what we make of that
// path leads to one place in what kustomize gets, from every kustomization.
func FuzzReference(f *testing.F) {
	for _, reference := range []string{"a.yaml", "../../base", "./x/../y", "https://x", "github.com/a/b", "a@b:c", "/x", "..", "../..", "../../..", "../../../..", "a//b", "%2e%2e/x", "a..b", "%2E", "a%2Fb", ".", "a b?c#d"} {
		f.Add("tests/overlays/staging", reference)
		f.Add(".", reference)
	}
	f.Fuzz(func(t *testing.T, dir, reference string) {
		if !fs.ValidPath(dir) || !utf8.ValidString(reference) { // YAML is UTF-8
			return
		}
		target, ok := within(dir, reference)
		if !ok {
			if !strings.HasPrefix(reference, "/") && !strings.ContainsAny(reference, "\\\x00") && stays(dir, reference) {
				t.Errorf("%q from %q is refused", reference, dir)
			}
			return
		}
		if !fs.ValidPath(target) || !stays(dir, reference) {
			t.Errorf("%q from %q leads to %q", reference, dir, target)
		}
		name := flat(target)
		if strings.Contains(name, "/") || name == "." || strings.Contains(name, "..") || unflat(name) != target {
			t.Errorf("%q is laid out as %q", target, name)
		}
		from := path.Dir(laidOut(dir))
		if got := path.Join(from, toKustomization(target)); got != path.Dir(laidOut(target)) {
			t.Errorf("the kustomization of %q is looked for in %q", target, got)
		}
		for _, folder := range []string{repositoryFolder, patchFolder, dataFolder} {
			made := toFile(folder, target)
			if got := path.Join(from, made); got != path.Join(folder, target) || !strings.HasPrefix(made, "../../") {
				t.Errorf("%q is looked for in %q", target, got)
			}
		}
	})
}

// FuzzReferenceInField: whatever is written in a field that names a file or a folder, and be
// there such a file or folder, what kustomize gets leads nowhere but to what was scanned.
func FuzzReferenceInField(f *testing.F) {
	followed := followedFields(f)
	for which := range fieldsOfPaths {
		for _, reference := range []string{"a.yaml", "../../base", "k=a.yaml", "https://x/y", "github.com/a/b.git", "a?ref=b", ".", "a b/%2F", "x/a:b@c//d", "a\u0085b", "a=b=c"} {
			f.Add(uint8(which), overlay, reference, which%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, dir, reference string, folder bool) {
		if !fs.ValidPath(dir) || !utf8.ValidString(reference) || len(dir)+len(reference) > 500 || strings.ContainsFunc(dir, unicode.IsControl) {
			return
		}
		field := fieldsOfPaths[int(which)%len(fieldsOfPaths)]
		tree := fstest.MapFS{path.Join(dir, "kustomization.yaml"): {Data: fmt.Appendf(nil, field, reference)}}
		_, named, found := strings.Cut(reference, "=")
		if !found {
			named = reference
		}
		for _, name := range []string{reference, named} {
			target, inside := within(dir, name)
			data := suiteA
			if folder {
				target, data = path.Join(target, "kustomization.yaml"), "namePrefix: x-"
			}
			if inside && fs.ValidPath(target) && target != "." && tree[target] == nil {
				tree[target] = &fstest.MapFile{Data: []byte(data)}
			}
		}
		s, err := scanOverlay(context.Background(), tree, dir, fuzzedLimits, nil)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if strings.Contains(reference, "://") && !strings.Contains(field, "files:") {
			t.Errorf("%q is taken in %s", reference, field)
		}
		checkRead(t, tree, s.readFiles())
		checkReferences(t, s.files, followed)
	})
}

// stays follows a reference step by step and says whether it ends inside the tree.
func stays(dir, reference string) bool {
	at := slices.DeleteFunc(strings.Split(dir, "/"), func(step string) bool { return step == "." })
	out := 0
	for step := range strings.SplitSeq(reference, "/") {
		switch {
		case step == "" || step == ".":
		case step != ".." && out == 0:
			at = append(at, step)
		case step != "..":
			return false // came back in by a name from above, which we do not know
		case len(at) > 0:
			at = at[:len(at)-1]
		default:
			out++
		}
	}
	return out == 0
}
