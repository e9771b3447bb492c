package render

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Difference is what differs between two catalogs. Runs keep it, so it is a word of the API.
type Difference = v1alpha1.CatalogDifference

// maxSuites is how many suites each list of a difference names before the rest is counted.
const maxSuites = 1000

// Diff says which suites the later catalog adds, removes and changes, and which fields of
// these. Equal digests are equal suites; a catalog without digests is compared field by field.
// Values are masked and shortened as [catalog.Differences] does. The result is sorted, and
// the same for the same catalogs.
func Diff(before, after catalog.Catalog) Difference {
	var d Difference
	name := func(list *[]string, suite string) {
		if len(*list) == maxSuites {
			d.More++
			return
		}
		*list = append(*list, suite)
	}
	change := func(b, a *catalog.Suite) {
		if b.Digest != "" && b.Digest == a.Digest {
			return
		}
		if len(d.Changed) == maxSuites { // the digests tell enough to count it
			d.More++
			return
		}
		if suite := catalog.Differences(&b.TestSuite, &a.TestSuite); len(suite.Fields) > 0 {
			d.Changed = append(d.Changed, suite)
		}
	}
	b, a := before.Suites, after.Suites
	for len(b) > 0 || len(a) > 0 {
		order := 0
		switch {
		case len(b) == 0:
			order = 1
		case len(a) == 0:
			order = -1
		default:
			order = strings.Compare(b[0].Name, a[0].Name)
		}
		switch {
		case order < 0:
			name(&d.Removed, b[0].Name)
			b = b[1:]
		case order > 0:
			name(&d.Added, a[0].Name)
			a = a[1:]
		default:
			change(&b[0], &a[0])
			b, a = b[1:], a[1:]
		}
	}
	return d
}

// Shortened gives the difference in at most that many bytes of JSON: with fewer fields of each
// suite first, then without the last suites. What is left out is counted; the counts alone
// are less than 100 bytes.
func Shortened(d Difference, bytes int) Difference {
	for _, fields := range []int{100, 20, 5, 1} {
		d.Changed = withFields(d.Changed, fields)
		if size(d) <= bytes {
			return d
		}
	}
	excess := size(d) - bytes
	for excess > 0 && len(d.Changed) > 0 {
		last := len(d.Changed) - 1
		excess -= size(d.Changed[last])
		d.Changed = d.Changed[:last]
		d.More++
	}
	for _, names := range []*[]string{&d.Removed, &d.Added} {
		for excess > 0 && len(*names) > 0 {
			last := len(*names) - 1
			excess -= size((*names)[last])
			*names = (*names)[:last]
			d.More++
		}
	}
	return d
}

// withFields gives copies that hold at most that many fields each.
func withFields(suites []v1alpha1.SuiteDifference, most int) []v1alpha1.SuiteDifference {
	cut := slices.Clone(suites)
	for i, s := range cut {
		if over := len(s.Fields) - most; over > 0 {
			s.Fields, s.More = s.Fields[:most:most], s.More+int32(over)
		}
		cut[i] = s
	}
	return cut
}

func size(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0 // cannot be: it is made of strings and numbers
	}
	return len(data)
}
