package slots

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// claimed is a claim such as "a/run 3 @5": of namespace and run, for so many places, since so many minutes before noon.
// One that ends with "schedule" is of a schedule.
func claimed(t *testing.T, text string) claim {
	t.Helper()
	var c claim
	var minutes int
	name, rest, _ := strings.Cut(text, " ")
	if _, err := fmt.Sscanf(rest, "%d @%d", &c.want, &minutes); err != nil {
		t.Fatal(text, err)
	}
	namespace, run, _ := strings.Cut(name, "/")
	c.run, c.since = types.NamespacedName{Namespace: namespace, Name: run}, noon.Add(-time.Duration(minutes)*time.Minute)
	c.schedule = strings.HasSuffix(text, "schedule")
	return c
}

func TestDeal(t *testing.T) {
	many := make([]string, 0, 500)
	for i := range 500 {
		many = append(many, fmt.Sprintf("a/run%03d 5 @%d", i, 600-i))
	}
	for name, c := range map[string]struct {
		free   int
		claims []string
		has    map[string]int
		want   []string
	}{
		"nobody waits":                      {5, nil, nil, nil},
		"nothing is free":                   {0, []string{"a/one 3 @1"}, nil, nil},
		"more is used than there is":        {-3, []string{"a/one 3 @1"}, nil, nil},
		"one gets what it wants":            {5, []string{"a/one 3 @1"}, nil, []string{"a/one 3"}},
		"in a namespace the oldest first":   {4, []string{"a/young 3 @1", "a/old 3 @2"}, nil, []string{"a/old 3", "a/young 1"}},
		"namespaces share":                  {4, []string{"a/old 9 @2", "b/young 9 @1"}, nil, []string{"a/old 2", "b/young 2"}},
		"who has fewest is next":            {2, []string{"a/old 9 @2", "b/young 9 @1"}, map[string]int{"a": 5}, []string{"b/young 2"}},
		"until it has as many":              {4, []string{"a/old 9 @2", "b/young 9 @1"}, map[string]int{"a": 2}, []string{"b/young 3", "a/old 1"}},
		"what one does not want others get": {9, []string{"a/old 9 @2", "b/young 1 @1"}, nil, []string{"a/old 8", "b/young 1"}},
		"500 runs hold back no other's":     {3, append(slices.Clone(many), "b/one 1 @0"), map[string]int{"a": 7}, []string{"b/one 1", "a/run000 2"}},
		"500 runs and one place":            {1, append(slices.Clone(many), "b/one 1 @0"), map[string]int{"a": 9}, []string{"b/one 1"}},
		"schedules come last":               {2, []string{"a/nightly 2 @20 schedule", "b/one 1 @1"}, map[string]int{"b": 9}, []string{"b/one 1", "a/nightly 1"}},
		"but not for ever":                  {2, []string{"a/nightly 2 @30 schedule", "b/one 9 @1"}, map[string]int{"b": 9}, []string{"a/nightly 2"}},
		"nor in their own namespace":        {1, []string{"a/nightly 2 @31 schedule", "a/one 9 @1"}, nil, []string{"a/nightly 1"}},
		"schedules share, too":              {2, []string{"a/x 9 @9 schedule", "b/y 9 @2 schedule"}, nil, []string{"a/x 1", "b/y 1"}},
		"equals by name":                    {1, []string{"b/x 1 @1", "a/x 1 @1"}, nil, []string{"a/x 1"}},
	} {
		var claims []claim
		for _, text := range c.claims {
			claims = append(claims, claimed(t, text))
		}
		has := map[string]int{}
		for namespace, n := range c.has {
			has[namespace] = n
		}
		var got []string
		for _, s := range deal(c.free, claims, has, noon) {
			got = append(got, fmt.Sprintf("%s %d", s.run, s.places))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestEverybodyGetsThere: whatever others ask for, again and again, each run gets its places, and none is lost.
func TestEverybodyGetsThere(t *testing.T) {
	const limit = 4
	has, now := map[string]int{}, noon
	mine := map[string]int{"b/push": 6, "c/nightly": 3}
	waited := 0
	for ; len(mine) > 0 && waited < 500; waited++ {
		now = now.Add(time.Minute)
		claims := []claim{ // the other team has a new run each minute, and all its old ones
			{run: types.NamespacedName{Namespace: "a", Name: "endless"}, since: noon.Add(-time.Hour), want: 100, asked: now},
		}
		for name, want := range mine {
			namespace, run, _ := strings.Cut(name, "/")
			claims = append(claims, claim{run: types.NamespacedName{Namespace: namespace, Name: run}, since: noon, want: want, schedule: run == "nightly"})
		}
		used := 0
		for _, n := range has {
			used += n
		}
		dealt := 0
		for _, s := range deal(limit-used, claims, has, now) {
			dealt += s.places
			if want, ok := mine[s.run.String()]; ok {
				if mine[s.run.String()] = want - s.places; want == s.places {
					delete(mine, s.run.String())
				}
			}
		}
		if dealt != limit-used {
			t.Fatalf("%d of %d places are given out", dealt, limit-used)
		}
		for namespace := range has { // one pod of each ends
			if has[namespace]--; has[namespace] <= 0 {
				delete(has, namespace)
			}
		}
	}
	if len(mine) > 0 {
		t.Errorf("after %d minutes these wait still: %v", waited, mine)
	}
}
