package catalog

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/assay-dev/assay/api/fault"
)

var update = flag.Bool("update", false, "rewrite what the tests expect")

// TestInvalidFilesAreExplained reads the worlds of testdata/invalid: a file, and the errors it
// must give. They read as a list of what can go wrong.
func TestInvalidFilesAreExplained(t *testing.T) {
	worlds, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil || len(worlds) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	for _, name := range worlds {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			world, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file, want := world.Files[0], &world.Files[1]
			_, err = ParseFile(file.Name, file.Data)
			if err == nil {
				t.Fatal("the file is taken")
			}
			var got []string
			for _, f := range fault.All(err) {
				if f.Kind() != fault.User {
					t.Errorf("%v is not classified as the user's", f)
				}
				got = append(got, f.Error())
			}
			if *update {
				want.Data = []byte(strings.Join(got, "\n") + "\n")
				if err := os.WriteFile(name, txtar.Format(world), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want.Data)), "\n"), got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFileKeepsWhatIsWritten(t *testing.T) {
	suites, err := ParseFile("tests/a.yaml", []byte(`
x-defaults: &none {}
`))
	if err == nil {
		t.Fatalf("a document without kind is taken: %v", suites)
	}
	suites, err = ParseFile("tests/a.yaml", []byte(`---
apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: a}
spec:
  tool: k6
  args: [&script load.js]
  on: {push: {}}
---
apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: b}
spec: {args: ["yes", "on", 010x], env: [&e {name: A, value: "1"}, {<<: *e, name: B}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(suites) != 2 || suites[0].Spec.On == nil || suites[0].Spec.On.Push == nil {
		t.Fatalf("got %+v", suites)
	}
	if suites[0].Spec.Image != "" {
		t.Error("defaults are filled in before patches had their turn")
	}
	if diff := cmp.Diff([]string{"yes", "on", "010x"}, suites[1].Spec.Args); diff != "" {
		t.Error(diff)
	}
	if env := suites[1].Spec.Env; len(env) != 2 || env[1].Name != "B" || env[1].Value != "1" {
		t.Errorf("merge keys: %+v", env)
	}
}

func TestLimitsOfAFile(t *testing.T) {
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for name, data := range map[string]string{
		"too many bytes":     strings.Repeat("#", maxFileBytes+1),
		"too many documents": strings.Repeat("---\na: 1\n", maxDocuments+1),
		"too deep":           deep,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseFile("tests/a.yaml", []byte(data))
			if err == nil || fault.ReasonOf(err) != fault.LimitExceeded {
				t.Errorf("got %v, want %s", err, fault.LimitExceeded)
			}
		})
	}
}

func TestManyProblemsAreCutOff(t *testing.T) {
	doc := "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: a}\nspec:\n"
	for i := range 500 {
		doc += fmt.Sprintf("  unknown%d: 1\n", i)
	}
	_, err := ParseFile("tests/a.yaml", []byte(doc))
	if n := len(fault.All(err)); n != maxProblems+1 {
		t.Errorf("%d problems are reported, want %d and a count", n, maxProblems)
	}
}

const fiveLines = `apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: checkout-load}
spec: {tool: k6, args: [load/checkout.js]}
`
