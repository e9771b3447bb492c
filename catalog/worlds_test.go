package catalog

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// change is what a world of the rendering tests has for the tests here: its files of suites as
// they are written, and the paths that differ between its commits.
type change struct {
	files   [][]byte
	changed []string
}

// changes reads the worlds, so that fuzzing begins with what teams write.
func changes(t testing.TB) []change {
	t.Helper()
	names, err := filepath.Glob("../render/testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	var all []change
	for _, name := range names {
		world, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c change
		for _, file := range world.Files {
			folder, path, _ := strings.Cut(file.Name, "/")
			if folder == "head" {
				c.changed = append(c.changed, path)
			}
			if strings.HasSuffix(path, ".yaml") && strings.Contains(string(file.Data), "kind: TestSuite") {
				c.files = append(c.files, file.Data)
			}
		}
		all = append(all, c)
	}
	return all
}
