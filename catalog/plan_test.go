package catalog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// render makes a catalog of specs in YAML by name, as rendering would.
func render(t *testing.T, specs map[string]string, files ...string) Catalog {
	t.Helper()
	var objects []Object
	for name, spec := range specs {
		objects = append(objects, Object{
			Name: name, File: "tests/" + name + ".yaml",
			YAML: []byte("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: " + name + "}\nspec: " + spec + "\n"),
		})
	}
	c, err := New(objects, files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPlanOfOneSuite reads as the rules of selection: what is run, and the reasons it gives.
func TestPlanOfOneSuite(t *testing.T) {
	const (
		plain   = `{tool: k6}`
		onPaths = `{tool: k6, content: {paths: [tests/load]}, on: {pullRequest: {paths: ["services/checkout/**", "*.md"]}}}`
		pr, psh = v1alpha1.CausePullRequest, v1alpha1.CausePush
	)
	tests := map[string]struct {
		base, head string // base "": the suite is new; "?": the catalog is unknown
		cause      v1alpha1.CauseType
		branch     string
		changed    []string
		unknown    bool
		run        bool
		reasons    []string
	}{
		"a suite without triggers runs on every pull request": {
			base: plain, head: plain, cause: pr, run: true, reasons: []string{"runs on every pull request"},
		},
		"and on every push": {
			base: plain, head: plain, cause: psh, run: true, reasons: []string{"runs on every push"},
		},
		"a trigger that is not listed leaves it out": {
			base: onPaths, head: onPaths, cause: psh, reasons: []string{"it is not triggered by a push"},
		},
		"so does a schedule alone": {
			base: `{tool: k6, on: {schedule: [{cron: H 2 * * *}]}}`, head: `{tool: k6, on: {schedule: [{cron: H 2 * * *}]}}`, cause: pr,
			reasons: []string{"it is not triggered by a pull request"},
		},
		"suspended": {
			base: plain, head: `{tool: k6, suspend: true}`, cause: pr, reasons: []string{"suspended"},
		},
		"a changed path that matches": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"services/checkout/a.go", "docs/x.txt"},
			run: true, reasons: []string{"services/checkout/a.go matches services/checkout/**"},
		},
		"many changed paths that match": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"services/checkout/b.go", "services/checkout/a/c.go", "README.md"},
			run: true, reasons: []string{"services/checkout/a/c.go and 1 more match services/checkout/**", "README.md matches *.md"},
		},
		"a glob without ** stays in its folder": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"docs/guide.md"}, reasons: []string{"the changed paths (docs/guide.md) match none of its paths and are not in its content"},
		},
		"nothing of it changed": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"tests/loader/x.js", "services/basket/a.go", "tests/api/x.go", "x"},
			reasons: []string{"the changed paths (services/basket/a.go, tests/api/x.go, tests/loader/x.js and 1 more) match none of its paths and are not in its content"},
		},
		"its content changed": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"tests/load/checkout.js"}, run: true, reasons: []string{"its content changed: tests/load/checkout.js"},
		},
		"much content changed": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"tests/load/5.js", "tests/load/1.js", "tests/load/2.js", "tests/load/3.js", "tests/load/4.js"},
			run: true, reasons: []string{"its content changed: tests/load/1.js, tests/load/2.js, tests/load/3.js and 2 more"},
		},
		"its definition changed": {
			base: `{tool: k6, on: {pullRequest: {paths: [none]}}}`, head: `{tool: k6, args: [a.js], env: [{name: A, value: b}], on: {pullRequest: {paths: [none]}}}`, cause: pr,
			run: true, reasons: []string{"its definition changed: spec.args, spec.env[name=A].value"},
		},
		"a definition that only writes a default is the same": {
			base: `{tool: k6, on: {pullRequest: {paths: [none]}}}`, head: `{tool: k6, gate: required, timeout: 600s, on: {pullRequest: {paths: [none]}}}`, cause: pr,
			reasons: []string{"no path changed"},
		},
		"the files that a changed definition is made of": {
			base: onPaths, head: `{tool: k6, args: [a.js], content: {paths: [tests/load]}, on: {pullRequest: {paths: ["services/checkout/**", "*.md"]}}}`, cause: pr,
			changed: []string{"tests/kustomization.yaml", "tests/checkout.yaml", "tests/unread.yaml"},
			run:     true, reasons: []string{"its definition changed: spec.args (with tests/checkout.yaml, tests/kustomization.yaml)"},
		},
		"a shared file alone": {
			base: onPaths, head: `{tool: k6, args: [a.js], content: {paths: [tests/load]}, on: {pullRequest: {paths: ["services/checkout/**", "*.md"]}}}`, cause: pr,
			changed: []string{"tests/kustomization.yaml", "tests/neighbour.yaml"},
			run:     true, reasons: []string{"its definition changed: spec.args (with tests/kustomization.yaml)"},
		},
		"a shared file that leaves the definition as it is": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"tests/kustomization.yaml"},
			reasons: []string{"the changed paths (tests/kustomization.yaml) match none of its paths, are not in its content and leave its definition as it is"},
		},
		"a suite that an overlay has taken up": {
			base: "", head: onPaths, cause: pr, changed: []string{"tests/kustomization.yaml"}, run: true, reasons: []string{"new suite (with tests/kustomization.yaml)"},
		},
		"long paths show their ends": {
			base: onPaths, head: onPaths, cause: pr, changed: []string{"services/checkout/" + strings.Repeat("ä", 100) + "/a.go"}, run: true,
			reasons: []string{"…" + strings.Repeat("ä", 56) + "/a.go matches services/checkout/**"},
		},
		"a new suite": {
			base: "", head: onPaths, cause: pr, changed: []string{"x"}, run: true, reasons: []string{"new suite"},
		},
		"an unknown base": {
			base: "?", head: onPaths, cause: pr, changed: []string{"x"}, run: true, reasons: []string{"new suite: the catalog of the base is unknown"},
		},
		"unknown changes": {
			base: onPaths, head: onPaths, cause: pr, unknown: true, run: true, reasons: []string{"changed paths are unknown, so everything runs"},
		},
		"all reasons are told": {
			base: onPaths, head: `{tool: k6, args: [a.js], content: {paths: [tests/load]}, on: {pullRequest: {}}}`, cause: pr, changed: []string{"tests/load/a.js"},
			run: true, reasons: []string{"runs on every pull request", "its definition changed: spec.args, spec.on.pullRequest.paths", "its content changed: tests/load/a.js"},
		},
		"a branch that matches": {
			base: plain, head: `{tool: k6, on: {push: {branches: [main, "release/*"]}}}`, cause: psh, branch: "release/1", run: true,
			reasons: []string{"runs on every push", "its definition changed: spec.on.pullRequest, spec.on.push.branches"},
		},
		"a branch that does not": {
			base: plain, head: `{tool: k6, on: {push: {branches: [main, "release/*"]}}}`, cause: psh, branch: "feature/x",
			reasons: []string{"branch feature/x matches none of main, release/*"},
		},
		"long branches show their ends, too": {
			base: plain, head: `{tool: k6, on: {push: {branches: [` + strings.Repeat("b", 250) + `/x]}}}`, cause: psh, branch: strings.Repeat("a", 1000) + "/y",
			reasons: []string{"branch …" + strings.Repeat("a", 115) + "/y matches none of …" + strings.Repeat("b", 115) + "/x"},
		},
		"default content leaves out what rendering reads": {
			base: `{tool: k6, on: {pullRequest: {paths: [none]}}}`, head: `{tool: k6, on: {pullRequest: {paths: [none]}}}`, cause: pr,
			changed: []string{"tests/kustomization.yaml", "tests/other.yaml"},
			reasons: []string{"the changed paths (tests/kustomization.yaml, tests/other.yaml) match none of its paths, are not in its content and leave its definition as it is"},
		},
		"default content is the folder of the tests": {
			base: `{tool: k6, on: {pullRequest: {paths: [none]}}}`, head: `{tool: k6, on: {pullRequest: {paths: [none]}}}`, cause: pr,
			changed: []string{"tests/kustomization.yaml", "tests/load/a.js"}, run: true, reasons: []string{"its content changed: tests/load/a.js"},
		},
		"the whole repository as content": {
			base: `{tool: k6, content: {paths: [./]}, on: {pullRequest: {paths: [none]}}}`, head: `{tool: k6, content: {paths: [.]}, on: {pullRequest: {paths: [none]}}}`, cause: pr,
			changed: []string{"main.go"}, run: true, reasons: []string{"its content changed: main.go"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			read := []string{"tests/checkout.yaml", "tests/kustomization.yaml", "tests/neighbour.yaml", "tests/other.yaml"}
			in := PlanInput{
				Head:  render(t, map[string]string{"checkout": test.head, "neighbour": plain}, read...),
				Cause: v1alpha1.Cause{Type: test.cause}, Branch: test.branch,
				Changed: test.changed, ChangedKnown: !test.unknown,
			}
			if test.base != "?" {
				specs := map[string]string{"neighbour": plain}
				if test.base != "" {
					specs["checkout"] = test.base
				}
				base := render(t, specs, read...)
				in.Base = &base
			}
			plan, err := Plan(in)
			if err != nil {
				t.Fatal(err)
			}
			if len(plan) != 2 {
				t.Fatalf("%d entries", len(plan))
			}
			if plan[0].Run != test.run {
				t.Errorf("run = %v, want %v", plan[0].Run, test.run)
			}
			if diff := cmp.Diff(test.reasons, plan[0].Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if plan[0].Digest == "" || plan[0].File != "tests/checkout.yaml" || plan[0].Gate != v1alpha1.GateRequired {
				t.Errorf("the entry is incomplete: %+v", plan[0])
			}
		})
	}
}

func TestPlanOfWhatIsAskedFor(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 0, 0, time.FixedZone("", 3600)))
	head := render(t, map[string]string{"a": `{tool: k6}`, "b": `{tool: k6, suspend: true}`, "c": `{tool: k6, on: {push: {}}}`})
	tests := map[string]struct {
		cause     v1alpha1.Cause
		requested []string
		want      map[string]string // suite to "run: " or "not: " and the reason
	}{
		"API without names runs all but the suspended": {
			v1alpha1.Cause{Type: v1alpha1.CauseAPI}, nil,
			map[string]string{"a": "run: asked for", "b": "not: suspended", "c": "run: asked for"},
		},
		"names run exactly these": {
			v1alpha1.Cause{Type: v1alpha1.CauseAPI}, []string{"b"},
			map[string]string{"b": "run: asked for, although suspended"},
		},
		"a schedule runs its suites": {
			v1alpha1.Cause{Type: v1alpha1.CauseSchedule, ScheduledTime: &at}, []string{"a", "b"},
			map[string]string{"a": "run: scheduled for 2026-01-02T02:04:00Z", "b": "not: suspended"},
		},
		"a schedule without suites runs none": {
			v1alpha1.Cause{Type: v1alpha1.CauseSchedule, ScheduledTime: &at}, nil,
			map[string]string{"a": "not: not scheduled for this time", "b": "not: not scheduled for this time", "c": "not: not scheduled for this time"},
		},
		"names win over what a pull request concerns": {
			v1alpha1.Cause{Type: v1alpha1.CausePullRequest}, []string{"c"},
			map[string]string{"c": "run: asked for"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, err := Plan(PlanInput{Head: head, Cause: test.cause, Requested: test.requested})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, entry := range plan {
				prefix := "not: "
				if entry.Run {
					prefix = "run: "
				}
				got[entry.Suite] = prefix + entry.Reasons[0]
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanRefusesUnknownSuites(t *testing.T) {
	_, err := Plan(PlanInput{Head: render(t, map[string]string{"a": `{tool: k6}`}), Requested: []string{"a", "nope"}, Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI}})
	if err == nil || fault.ReasonOf(err) != fault.SuiteNotFound {
		t.Fatalf("got %v", err)
	}
	if want := `the catalog has no suite "nope" (the catalog has a)`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// TestPlanIsBounded: paths and globs both come from whoever wrote the commit.
func TestPlanIsBounded(t *testing.T) {
	spec := `{tool: k6, content: {paths: [none]}, on: {pullRequest: {paths: ["{a,b,c,d}{a,b,c,d}{a,b,c,d}*x"]}}}`
	head := render(t, map[string]string{"a": spec})
	changed := make([]string, maxChanged+1)
	for i := range changed {
		changed[i] = fmt.Sprintf("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%05d", i)
	}
	for n, want := range map[int]string{
		maxChanged:     "the changed paths (" + strings.Join(changed[:3], ", ") + " and 19997 more) match none of its paths and are not in its content",
		maxChanged + 1: "more than 20000 paths changed, so everything runs",
	} {
		plan, err := Plan(PlanInput{Head: head, Base: &head, Changed: changed[:n], ChangedKnown: true, Cause: v1alpha1.Cause{Type: v1alpha1.CausePullRequest}})
		if err != nil {
			t.Fatal(err)
		}
		if plan[0].Reasons[0] != want {
			t.Errorf("%d paths: got %q, want %q", n, plan[0].Reasons, want)
		}
	}
}
