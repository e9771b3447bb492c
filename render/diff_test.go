package render

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

func TestDiff(t *testing.T) {
	suites := func(images ...string) (c catalog.Catalog) { // NAME=IMAGE, sorted
		for _, text := range images {
			name, image, _ := strings.Cut(text, "=")
			s := catalog.Suite{Digest: text}
			s.Name, s.Spec.Image = name, image
			c.Suites = append(c.Suites, s)
		}
		return c
	}
	changed := func(name, before, after string) []v1alpha1.SuiteDifference {
		return []v1alpha1.SuiteDifference{{Suite: name, Fields: []v1alpha1.FieldDifference{{Path: "spec.image", Before: before, After: after}}}}
	}
	blind := suites("a=1")
	blind.Suites[0].Digest = ""
	tests := map[string]struct {
		before, after catalog.Catalog
		want          Difference
		summary       string
	}{
		"nothing":            {suites("a=1", "b=1"), suites("a=1", "b=1"), Difference{}, "no difference"},
		"no suites at all":   {suites(), suites(), Difference{}, "no difference"},
		"all new":            {suites(), suites("a=1", "b=1"), Difference{Added: []string{"a", "b"}}, "2 added"},
		"all gone":           {suites("a=1", "b=1"), suites(), Difference{Removed: []string{"a", "b"}}, "2 removed"},
		"one of each":        {suites("a=1", "b=1", "d=1"), suites("b=2", "c=1", "d=1"), Difference{Added: []string{"c"}, Removed: []string{"a"}, Changed: changed("b", "1", "2")}, "1 added, 1 removed, 1 changed"},
		"without digests":    {blind, suites("a=2"), Difference{Changed: changed("a", "1", "2")}, "1 changed"},
		"digests of old":     {blind, suites("a=1"), Difference{}, "no difference"},
		"new before and end": {suites("b=1"), suites("a=1", "b=1", "c=1"), Difference{Added: []string{"a", "c"}}, "2 added"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Diff(tt.before, tt.after)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Summary() != tt.summary || got.Empty() != (tt.summary == "no difference") {
				t.Errorf("summary %q, empty %t", got.Summary(), got.Empty())
			}
		})
	}
}

// Whatever the size, a shortened difference fits and counts every suite.
func TestShortened(t *testing.T) {
	var d Difference
	for i := range 400 {
		d.Added = append(d.Added, fmt.Sprintf("added-%03d", i))
		d.Removed = append(d.Removed, fmt.Sprintf("removed-%03d", i))
		s := v1alpha1.SuiteDifference{Suite: fmt.Sprintf("changed-%03d", i), More: 3}
		for j := range 50 {
			s.Fields = append(s.Fields, v1alpha1.FieldDifference{Path: fmt.Sprintf("spec.args[%d]", j), Before: strings.Repeat("<", 200)})
		}
		d.Changed = append(d.Changed, s)
	}
	whole, _ := json.Marshal(d)
	if got := Shortened(d, len(whole)); cmp.Diff(d, got) != "" {
		t.Error("one that fits is not left alone")
	}
	for _, limit := range []int{100, 1000, 16 << 10, 100 << 10, 1 << 20, len(whole) - 1} {
		got := Shortened(d, limit)
		data, err := json.Marshal(got)
		if err != nil || len(data) > limit {
			t.Errorf("%d bytes, the limit is %d", len(data), limit)
		}
		if n := len(got.Added) + len(got.Removed) + len(got.Changed) + int(got.More); n != 1200 {
			t.Errorf("limit %d: %d suites are told or counted, want 1200", limit, n)
		}
		for _, s := range got.Changed {
			if len(s.Fields)+int(s.More) != 53 {
				t.Errorf("limit %d: %s has %d fields and %d more, want 53", limit, s.Suite, len(s.Fields), s.More)
			}
		}
	}
	if after, _ := json.Marshal(d); string(after) != string(whole) {
		t.Error("shortening changed what it was given")
	}
}

func BenchmarkDiff(b *testing.B) {
	before, err := Render(context.Background(), manySuites(1000), overlay, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	one, all := before, before
	one.Suites, all.Suites = slices.Clone(before.Suites), slices.Clone(before.Suites)
	for i := range all.Suites {
		all.Suites[i] = catalog.Suite{TestSuite: *before.Suites[i].DeepCopy(), Digest: "another"}
		all.Suites[i].Spec.Image += ":next"
	}
	one.Suites[500] = all.Suites[500]
	for name, c := range map[string]struct {
		after catalog.Catalog
		want  int
	}{"changed=0": {before, 0}, "changed=1": {one, 1}, "changed=1000": {all, 1000}} {
		b.Run("suites=1000/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := Diff(before, c.after); len(d.Changed) != c.want {
					b.Fatalf("%d changed, want %d", len(d.Changed), c.want)
				}
			}
		})
	}
}
