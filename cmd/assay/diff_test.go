package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/catalog"
)

// diffOf compares catalogs of suites with one variable each: NAME=VALUE.
func diffOf(before, after []string) *catalogDiff {
	made := func(pairs []string) (c catalog.Catalog) {
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			s := catalog.Suite{}
			s.Name, s.Spec.Image = name, value
			c.Suites = append(c.Suites, s)
		}
		return c
	}
	d := &catalogDiff{}
	d.add("staging", "", made(before), made(after))
	return d
}

func TestDiffInColour(t *testing.T) {
	var b bytes.Buffer
	if err := diffOf([]string{"api=a", "web=c"}, []string{"api=b", "web=c"}).text(&b, true); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/diff-colour.golden"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-want +got (-update writes it):\n%s", diff)
	}
}

// What a repository wrote must not move the cursor.
func TestDiffIsCleaned(t *testing.T) {
	var b bytes.Buffer
	if err := diffOf(nil, []string{"a\x1b[2J=x\u202ey\x9b"}).text(&b, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e\u009b") || !strings.Contains(b.String(), "+++ b/staging/a�[2J") {
		t.Errorf("it prints %q", b.String())
	}
}

// Texts that are too long to be compared are told whole, and others give what they were made of.
func TestCompareLines(t *testing.T) {
	var before, after strings.Builder
	for i := range diffLines {
		fmt.Fprintln(&before, "line", i)
		fmt.Fprintln(&after, "line", i*2)
	}
	if n := len(compareLines(before.String(), after.String())); n != 2 {
		t.Errorf("%d chunks, want all removed and all added", n)
	}
	for name, texts := range map[string][2]string{
		"equal": {"a\nb\n", "a\nb\n"}, "from nothing": {"", "a\nb\n"}, "to nothing": {"a\n", ""},
		"moved": {"a\nb\nc\na\n", "c\na\nb\na\n"}, "many lines": {before.String()[:5000], after.String()[:5000]},
	} {
		var b, a strings.Builder
		for _, c := range compareLines(texts[0], texts[1]) {
			switch c.operation {
			case operations[0]:
				b.WriteString(c.text)
				a.WriteString(c.text)
			case operations[1]:
				a.WriteString(c.text)
			default:
				b.WriteString(c.text)
			}
		}
		if b.String() != texts[0] || a.String() != texts[1] {
			t.Errorf("%s: the chunks make %q and %q", name, b.String(), a.String())
		}
	}
}
