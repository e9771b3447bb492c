package render

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// suiteOf makes a rendered suite.
func suiteOf(t testing.TB, yaml string) catalog.Suite {
	t.Helper()
	c, err := catalog.New([]catalog.Object{{Name: "s", File: "tests/s.yaml", YAML: []byte("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\n" + yaml)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Suites[0]
}

// keptIn gives a suite whose object is as written.
func keptIn(t testing.TB) Kept {
	t.Helper()
	k := Kept{
		Suite:  suiteOf(t, "metadata: {name: api, labels: {team: shop, app.kubernetes.io/managed-by: team}}\nspec: {image: i, env: [{name: A, value: a}]}\n"),
		Marks:  map[string]string{v1alpha1.SuiteLabel: "api", v1alpha1.ManagedByLabel: v1alpha1.ManagedBy},
		Branch: "main", Owned: true, Object: &v1alpha1.TestSuite{},
	}
	k.Object.Name = "shop.staging.api"
	k.Object.Spec = *k.Suite.Spec.DeepCopy()
	k.Object.Labels = map[string]string{"team": "shop", v1alpha1.SuiteLabel: "api", v1alpha1.ManagedByLabel: v1alpha1.ManagedBy, "somebody": "else"}
	k.Object.Annotations = map[string]string{v1alpha1.DigestAnnotation: k.Suite.Digest, v1alpha1.FileAnnotation: "tests/s.yaml", v1alpha1.BranchAnnotation: "main"}
	return k
}

func TestStanding(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Kept)
		want   Standing
		fields []string
	}{
		"as written":                           {func(*Kept) {}, Alike, nil},
		"a suite that is new":                  {func(k *Kept) { k.Object = nil }, Missing, nil},
		"a suite that changed while it lacked": {func(k *Kept) { k.Object, k.Before = nil, "sha256:other" }, Missing, nil},
		"a suite whose object is gone":         {func(k *Kept) { k.Object, k.Before = nil, k.Suite.Digest }, Deleted, nil},
		"Git changed the suite":                {func(k *Kept) { k.Suite.Digest = "sha256:other" }, Outdated, nil},
		"Git changed it after an edit": {func(k *Kept) {
			k.Suite.Digest, k.Object.Spec.Suspend = "sha256:other", true
		}, Outdated, []string{"spec.suspend"}},
		"Git moved it to another file": {func(k *Kept) { k.Suite.File = "tests/t.yaml" }, Outdated, nil},
		"the default branch was renamed": {func(k *Kept) {
			k.Branch, k.Marks[v1alpha1.BranchLabel] = "trunk", "trunk"
		}, Outdated, []string{`metadata.labels["assay.dev/branch"]`}},
		"a changed field": {func(k *Kept) { k.Object.Spec.Timeout = &metav1.Duration{Duration: time.Hour} }, Edited, []string{"spec.timeout"}},
		"an added variable": {func(k *Kept) {
			k.Object.Spec.Env = append(k.Object.Spec.Env, k.Object.Spec.Env[0])
			k.Object.Spec.Env[1].Name = "B"
		}, Edited, []string{"spec.env[name=B].value"}},
		"a changed label":       {func(k *Kept) { k.Object.Labels["team"] = "mine" }, Edited, []string{"metadata.labels.team"}},
		"a label taken away":    {func(k *Kept) { delete(k.Object.Labels, "team") }, Edited, []string{"metadata.labels.team"}},
		"a mark taken away":     {func(k *Kept) { delete(k.Object.Labels, v1alpha1.SuiteLabel) }, Edited, []string{`metadata.labels["assay.dev/suite"]`}},
		"an owner taken away":   {func(k *Kept) { k.Owned = false }, Edited, []string{"metadata.ownerReferences"}},
		"somebody else's label": {func(k *Kept) { k.Object.Labels["more"] = "x" }, Alike, nil},
		"somebody else's annotation": {func(k *Kept) {
			k.Object.Annotations["more"] = "x"
		}, Alike, nil},
		"empty lists for none":  {func(k *Kept) { k.Object.Spec.Args = []string{} }, Alike, nil},
		"a status of any kind":  {func(k *Kept) { k.Object.Status.LastPassed = &v1alpha1.LastPass{Run: "r"} }, Alike, nil},
		"a forged digest alone": {func(k *Kept) { k.Object.Annotations[v1alpha1.DigestAnnotation] = "sha256:mine" }, Outdated, nil},
	} {
		t.Run(name, func(t *testing.T) {
			k := keptIn(t)
			test.change(&k)
			if got := k.Standing(); got != test.want {
				t.Errorf("it stands %s, want %s", got, test.want)
			}
			if k.Object == nil {
				return
			}
			var fields []string
			for _, f := range k.Drift().Fields {
				fields = append(fields, f.Path)
			}
			if diff := cmp.Diff(test.fields, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	const mend, report = v1alpha1.CatalogMend, v1alpha1.CatalogReport
	for standing, want := range map[Standing]map[v1alpha1.CatalogPolicy]bool{
		Alike:    {mend: false, report: false},
		Missing:  {mend: true, report: true},
		Outdated: {mend: true, report: true},
		Edited:   {mend: true, report: false},
		Deleted:  {mend: true, report: false},
	} {
		for policy, writes := range want {
			if got := standing.Writes(policy); got != writes {
				t.Errorf("%s with %s: it writes: %t, want %t", standing, policy, got, writes)
			}
		}
	}
}

func TestApart(t *testing.T) {
	render := func(suites ...string) catalog.Catalog {
		var c catalog.Catalog
		for _, s := range suites {
			c.Suites = append(c.Suites, suiteOf(t, s))
		}
		return c
	}
	const api, load = "metadata: {name: api}\nspec: {image: i}\n", "metadata: {name: load, labels: {stage: dev}}\nspec: {tool: k6, args: [a.js, p95=200], env: [{name: URL, value: a}]}\n"
	all := []Rendered{
		{"dev", render(api, load, "metadata: {name: new}\nspec: {image: i}\n")},
		{"staging", render(api, load)},
		{"prod", render("metadata: {name: api, labels: {stage: prod}}\nspec: {image: i, suspend: true, gate: optional}\n",
			"metadata: {name: load}\nspec: {tool: k6, args: [a.js, p95=100], timeout: 1h, env: [{name: URL, value: b}]}\n", "metadata: {name: old}\nspec: {image: i}\n")},
	}
	differing := &v1alpha1.SuitesDiffering{Count: 1, Suites: []v1alpha1.SuiteDiffering{{Suite: "load", Fields: []string{"spec.args", "spec.env[name=URL].value", "spec.timeout"}}}}
	names := func(n ...string) *v1alpha1.SuiteNames { return v1alpha1.NameSuites(n) }
	for environment, want := range map[string]*v1alpha1.EnvironmentApart{
		"dev":     {OnlyHere: names("new"), MissingHere: names("old"), Differing: differing},
		"staging": {MissingHere: names("new", "old"), Differing: differing},
		"prod":    {OnlyHere: names("old"), MissingHere: names("new"), SuspendedHere: names("api"), Differing: differing},
	} {
		if diff := cmp.Diff(want, Apart(environment, all)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", environment, diff)
		}
	}
	if got := Apart("dev", all[:1]); got != nil {
		t.Errorf("an environment alone differs from %+v", got)
	}
	if got := Apart("dev", []Rendered{all[0], {"twin", all[0].Catalog}}); !cmp.Equal(got, &v1alpha1.EnvironmentApart{}) {
		t.Errorf("a twin differs: %+v", got)
	}
}

// BenchmarkStanding is what a look costs for each suite that is as written.
func BenchmarkStanding(b *testing.B) {
	k := keptIn(b)
	b.ReportAllocs()
	for b.Loop() {
		if k.Standing() != Alike {
			b.Fatal("it is not as written")
		}
	}
}

// BenchmarkApart compares three environments of a thousand suites that all differ.
func BenchmarkApart(b *testing.B) {
	var all []Rendered
	for _, environment := range []string{"dev", "staging", "prod"} {
		var c catalog.Catalog
		for i := range 1000 {
			s := suiteOf(b, "metadata: {name: api}\nspec: {image: i, env: [{name: URL, value: "+environment+"}]}\n")
			s.Name = fmt.Sprintf("s%04d", i)
			c.Suites = append(c.Suites, s)
		}
		all = append(all, Rendered{environment, c})
	}
	b.ReportAllocs()
	for b.Loop() {
		if Apart("dev", all).Differing.Count != 1000 {
			b.Fatal("they do not all differ")
		}
	}
}
