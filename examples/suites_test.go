package examples

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
)

func shopCatalog(t *testing.T, environment string) catalog.Catalog {
	t.Helper()
	c, err := render.Render(t.Context(), os.DirFS("shop"), "tests/overlays/"+environment, render.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPlanOfAPullRequest(t *testing.T) {
	for name, test := range map[string]struct {
		environment string
		changed     string
		want        []string
	}{
		"other rules, in staging":     {"staging", "services/checkout/rules.json", []string{"checkout-api", "checkout-load", "checkout-rules", "health", "smoke"}},
		"other rules, in prod":        {"prod", "services/checkout/rules.json", []string{"checkout-api", "checkout-load", "health", "smoke"}},
		"another product, in staging": {"staging", "services/catalog/products.json", []string{"catalog-api", "catalog-browse", "health", "smoke"}},
		"another page, in prod":       {"prod", "services/storefront/page.html", []string{"catalog-api", "health", "security-headers", "smoke"}},
		"another load script":         {"prod", "tests/load/browse.js", []string{"catalog-browse", "checkout-load", "health", "smoke"}},
		"the read-me":                 {"staging", "README.md", []string{"health", "smoke"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := shopCatalog(t, test.environment)
			plan, err := catalog.Plan(catalog.PlanInput{
				Head: c, Base: &c, Changed: []string{test.changed}, ChangedKnown: true, Branch: "main",
				Cause: v1alpha1.Cause{Type: v1alpha1.CausePullRequest, PullRequest: &v1alpha1.PullRequestRef{Number: 1}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(plan) != 8 {
				t.Errorf("%d suites, want 8 in each environment", len(plan))
			}
			var got []string
			for _, p := range plan {
				if p.Run {
					got = append(got, p.Suite)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("suites that run (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverlaysDiffer(t *testing.T) {
	staging, prod := shopCatalog(t, "staging"), shopCatalog(t, "prod")
	for _, test := range []struct {
		suite, variable, staging, prod string
	}{
		{"checkout-api", "BASE_URL", "http://shop.shop-staging.svc", "http://shop.shop-prod.svc"},
		{"checkout-load", "VUS", "2", "4"},
		{"checkout-load", "ITERATIONS", "20", "80"},
		{"smoke", "EXPECTED_ENVIRONMENT", "staging", "prod"},
	} {
		if got := variable(t, staging, test.suite, test.variable); got != test.staging {
			t.Errorf("staging: %s of %s is %q, want %q", test.variable, test.suite, got, test.staging)
		}
		if got := variable(t, prod, test.suite, test.variable); got != test.prod {
			t.Errorf("prod: %s of %s is %q, want %q", test.variable, test.suite, got, test.prod)
		}
	}
	if s, _ := staging.Suite("catalog-browse"); s.Spec.Gate != v1alpha1.GateOptional {
		t.Errorf("staging: catalog-browse is %q, want optional", s.Spec.Gate)
	}
	if s, _ := prod.Suite("catalog-browse"); s.Spec.Gate != v1alpha1.GateRequired {
		t.Errorf("prod: catalog-browse is %q, want required", s.Spec.Gate)
	}
}

func variable(t *testing.T, c catalog.Catalog, suite, name string) string {
	t.Helper()
	s, found := c.Suite(suite)
	if !found {
		t.Fatalf("no suite %q", suite)
	}
	for _, e := range s.Spec.Env {
		if e.Name == name {
			return e.Value
		}
	}
	t.Fatalf("suite %q has no %s", suite, name)
	return ""
}

func TestFiveLinesAreEnough(t *testing.T) {
	data, err := os.ReadFile("shop/tests/suites/health.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(data), "\n"); lines > 5 {
		t.Errorf("health.yaml has %d lines, want 5 at most", lines)
	}
}

func TestSuitesAreAdmitted(t *testing.T) {
	data, err := os.ReadFile("platform/environments.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		var e v1alpha1.TestEnvironment
		if err := decoder.Decode(&e); err != nil {
			break
		}
		names = append(names, e.Name)
		if !e.Admits("shop", "shop") || e.Admits("shop", "other") {
			t.Errorf("%s: want the TestRepository shop/shop admitted, and it alone", e.Name)
		}
		for _, s := range shopCatalog(t, e.Name).Suites {
			if err := catalog.CheckPolicy(s, &e, v1alpha1.CausePullRequest); err != nil {
				t.Error(err)
			}
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"prod", "staging"}) {
		t.Errorf("environments %q, want prod and staging", names)
	}
}
