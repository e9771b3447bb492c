package render

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Rendered is the catalog of an environment.
type Rendered struct {
	Environment string
	Catalog     catalog.Catalog
}

// named is how many fields of a suite a status names before it counts.
const named = 10

// compared are the fields that decide what a suite demands of what it tests: what runs, how
// long it may take, and the thresholds that tools take as arguments and variables.
var compared = []string{"spec.image", "spec.timeout", "spec.args", "spec.env", "spec.envFrom", "spec.resources"}

// Apart says how the catalog of the environment differs from those of the others, of one
// commit; nil when there is no other. It compares each suite's fields of interest at once and
// asks [Diff] only of the suites that it names.
func Apart(environment string, all []Rendered) *v1alpha1.EnvironmentApart {
	var here catalog.Catalog
	others := make([]catalog.Catalog, 0, len(all))
	for _, r := range all {
		if r.Environment == environment {
			here = r.Catalog
		} else {
			others = append(others, r.Catalog)
		}
	}
	if len(others) == 0 {
		return nil
	}
	elsewhere := map[string][]*catalog.Suite{}
	for _, other := range others {
		for i := range other.Suites {
			s := &other.Suites[i]
			elsewhere[s.Name] = append(elsewhere[s.Name], s)
		}
	}
	var only, missing, suspended []string
	var differing v1alpha1.SuitesDiffering
	for i := range here.Suites {
		s := &here.Suites[i]
		peers := elsewhere[s.Name]
		delete(elsewhere, s.Name)
		if len(peers) == 0 {
			only = append(only, s.Name)
			continue
		}
		if s.Spec.Suspend && slices.ContainsFunc(peers, func(p *catalog.Suite) bool { return !p.Spec.Suspend }) {
			suspended = append(suspended, s.Name)
		}
		noteDiffering(&differing, s, peers)
	}
	for name := range elsewhere {
		missing = append(missing, name)
	}
	apart := &v1alpha1.EnvironmentApart{OnlyHere: v1alpha1.NameSuites(only), MissingHere: v1alpha1.NameSuites(missing), SuspendedHere: v1alpha1.NameSuites(suspended)}
	if differing.Count > 0 {
		apart.Differing = &differing
	}
	return apart
}

// noteDiffering notes the suite when one of its compared fields is another than a peer's.
func noteDiffering(d *v1alpha1.SuitesDiffering, s *catalog.Suite, peers []*catalog.Suite) {
	own := demands(s)
	peers = slices.DeleteFunc(slices.Clone(peers), func(p *catalog.Suite) bool {
		return p.Digest != "" && p.Digest == s.Digest || bytes.Equal(demands(p), own)
	})
	if len(peers) == 0 {
		return
	}
	if d.Count++; d.Count > v1alpha1.MaxNamed {
		return
	}
	var fields []string
	more := int32(0)
	for _, p := range peers {
		diff := Diff(one(p), one(s))
		for _, changed := range diff.Changed {
			more = max(more, changed.More)
			for _, f := range changed.Fields {
				if isCompared(f.Path) {
					fields = append(fields, f.Path)
				}
			}
		}
	}
	slices.Sort(fields)
	fields = slices.Compact(fields)
	if over := len(fields) - named; over > 0 {
		fields, more = fields[:named:named], more+int32(over)
	}
	d.Suites = append(d.Suites, v1alpha1.SuiteDiffering{Suite: s.Name, Fields: fields, More: more})
}

// demands is the compared fields, equal where they are.
func demands(s *catalog.Suite) []byte {
	spec := &s.Spec
	data, err := json.Marshal([]any{spec.Image, spec.Timeout, spec.Args, spec.Env, spec.EnvFrom, spec.Resources})
	if err != nil {
		return nil // cannot be: its digest was computed
	}
	return data
}

func isCompared(path string) bool {
	return slices.ContainsFunc(compared, func(field string) bool {
		rest, found := strings.CutPrefix(path, field)
		return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// one is a catalog of that suite, which [Diff] compares field by field.
func one(s *catalog.Suite) catalog.Catalog {
	alone := *s
	alone.Digest = ""
	return catalog.Catalog{Suites: []catalog.Suite{alone}}
}
