package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is what testdata/FORMAT/FILE.golden holds for testdata/FORMAT/FILE.
type golden struct {
	Error  string `json:"error,omitempty"`
	Counts Counts `json:"counts"`
	Report Report `json:"report"`
}

func inputs(t testing.TB, format Format) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(filepath.Join("testdata", string(format)), func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(name, ".golden") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no testdata for format %q", format)
	}
	return names
}

func TestGolden(t *testing.T) {
	for _, format := range Formats() {
		for _, name := range inputs(t, format) {
			t.Run(strings.TrimPrefix(filepath.ToSlash(name), "testdata/"), func(t *testing.T) {
				input, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				got := outcome(Parse(format, bytes.NewReader(input), Limits{}))
				if *update {
					writeGolden(t, name+".golden", got)
				}
				want, err := os.ReadFile(name + ".golden")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("report differs (-want +got), -update writes it:\n%s", diff)
				}
				slow := outcome(Parse(format, iotest.OneByteReader(bytes.NewReader(input)), Limits{}))
				if diff := cmp.Diff(string(got), string(slow)); diff != "" {
					t.Errorf("the report depends on how the bytes arrive (-at once +one by one):\n%s", diff)
				}
			})
		}
	}
}

func outcome(r Report, err error) []byte {
	g := golden{Counts: r.Counts(), Report: r}
	if err != nil {
		g.Error = err.Error()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(g); err != nil {
		return []byte(err.Error())
	}
	return b.Bytes()
}

func writeGolden(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
