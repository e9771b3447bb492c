package catalog

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// FuzzParseFile: whatever a repository holds, parsing ends, in suites or in faults of the user
// that say where. What it takes means the same when it is written anew, which is how rendering
// hands it on, and defaults that are written out change no digest.
func FuzzParseFile(f *testing.F) {
	for _, data := range suiteFiles(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 4 << 10 // what is longer is slow, and no different
		checkFile(t, data[:min(len(data), most)])
	})
}

// FuzzValues: the same for the values of a suite. Of what is made of whole files hardly any is
// taken.
func FuzzValues(f *testing.F) {
	const suite = `apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: %q, labels: {team: %[2]q}, annotations: {note: %[3]q}}
spec:
  tool: shell
  image: %[4]q
  args: [%[3]q]
  runAsUser: %[5]d
  env: [{name: A, value: %[3]q}]
  content: {paths: [%[6]q]}
  on: {push: {paths: [%[7]q], branches: [%[7]q]}, schedule: [{cron: %[8]q}]}
`
	f.Add("a", "payments", "a\u0085b\x7f\ufeff\u2028", "alpine:3", int64(1), "tests/a", "services/**", "H 2 * * *")
	f.Add("a", "", "yes", "a b", int64(-1<<63), "a//b/", "{a,b}", "*/5 1-3 * JAN SUN")
	f.Add("a", "1e3", "~", "x@sha256:0", int64(0), ".", "[^a]*", "0 0 31 2 *")
	f.Fuzz(func(t *testing.T, name, label, text, image string, number int64, folder, glob, cron string) {
		data := fmt.Sprintf(suite, name, label, text, image, number, folder, glob, cron)
		checkFile(t, []byte(data))
	})
}

func checkFile(t *testing.T, data []byte) {
	t.Helper()
	const file = "tests/a.yaml"
	suites, err := ParseFile(file, data)
	if err != nil {
		if suites != nil {
			t.Error("suites and an error")
		}
		checkFaults(t, file, data, err)
		return
	}
	docs, err := Documents(file, data)
	if err != nil || len(docs) != len(suites) {
		t.Fatalf("%d suites of %d documents, %v", len(suites), len(docs), err)
	}
	for i, doc := range docs {
		checkPlain(t, doc.Value)
		written := checkAnew(t, doc, suites[i])
		checkDefaults(t, Object{Name: suites[i].Name, YAML: written, File: file})
	}
}

// suiteFiles are what fuzzing begins with: what is taken, and what is not.
func suiteFiles(t testing.TB) [][]byte {
	t.Helper()
	files := [][]byte{[]byte(fiveLines)}
	for _, c := range changes(t) {
		files = append(files, c.files...)
	}
	worlds, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil || len(worlds) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	for _, name := range worlds {
		if strings.Contains(name, "bomb") { // the fuzzer would spend its time on making it smaller
			continue
		}
		world, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, world.Files[0].Data)
	}
	return files
}

// checkFaults holds errors to what they promise: the user's fault, a short line, a place that
// is in the file.
func checkFaults(t *testing.T, file string, data []byte, err error) {
	t.Helper()
	for _, f := range fault.All(err) {
		if f.Reason != fault.InvalidCatalog && f.Reason != fault.LimitExceeded {
			t.Errorf("got %s: %v", f.Reason, f)
		}
		if text := f.Error(); strings.ContainsAny(text, "\n\r") || !utf8.ValidString(text) || len(text) > 4<<10 {
			t.Errorf("not one short line: %.500q", text)
		}
		if lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2; f.Place.File != file || f.Place.Line > lines {
			t.Errorf("the place of %v is not in the %d lines of %s", f, lines, file)
		}
	}
}

// checkPlain goes through a value and looks for what a document does not hold.
func checkPlain(t *testing.T, value any) {
	t.Helper()
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			checkPlain(t, inner)
		}
	case []any:
		for _, inner := range v {
			checkPlain(t, inner)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%v is no number", v)
		}
	case nil, string, bool, int, uint64:
	default:
		t.Errorf("a document holds %T", v)
	}
}

// checkAnew writes a document anew and compares what that is taken for.
func checkAnew(t *testing.T, doc Document, want v1alpha1.TestSuite) []byte {
	t.Helper()
	written, err := JSON(doc.Value)
	if err != nil {
		t.Fatalf("it cannot be written: %v", err)
	}
	again, err := ParseFile("tests/a.yaml", written)
	if err != nil || len(again) != 1 {
		t.Fatalf("%s is %d suites: %v", written, len(again), err)
	}
	if diff := cmp.Diff(want, again[0]); diff != "" {
		t.Errorf("written anew as %s it means something else:\n%s", written, diff)
	}
	return written
}

// checkDefaults makes a suite, writes it with its defaults, and makes a suite of that.
func checkDefaults(t *testing.T, object Object) {
	t.Helper()
	suite, err := NewSuite(object)
	if err != nil {
		checkFaults(t, object.File, object.YAML, err)
		return
	}
	object.YAML, err = JSON(manifest{suite.TypeMeta, suite.ObjectMeta, suite.Spec})
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewSuite(object)
	if err != nil || again.Digest != suite.Digest {
		t.Errorf("with its defaults written it is another suite: %v\n%s", err, cmp.Diff(suite, again))
	}
}
