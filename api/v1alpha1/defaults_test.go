package v1alpha1_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestDefaultsAreThoseOfTheSchema: what the API server fills in is what our own code takes for left out.
func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	for field, want := range map[string]any{
		"testsuites.spec.tool":                      v1alpha1.DefaultTool,
		"testsuites.spec.retries.infrastructure":    v1alpha1.DefaultInfrastructureRetries,
		"testsuites.spec.on.schedule.[].timeZone":   v1alpha1.DefaultTimeZone,
		"testenvironments.spec.limits.pods":         v1alpha1.DefaultMaxPods,
		"testenvironments.spec.limits.timeout":      v1alpha1.DefaultMaxTimeout,
		"testenvironments.spec.limits.startTimeout": v1alpha1.DefaultStartTimeout,
		"testrepositories.spec.path":                v1alpha1.DefaultTestsPath,
		"testrepositories.spec.timeout":             (&v1alpha1.TestRepository{}).GetTimeout(),
		"testrepositories.spec.catalog":             string((&v1alpha1.TestRepository{}).CatalogPolicy()),
	} {
		got := schemaDefault(t, field)
		if d, ok := want.(time.Duration); ok {
			parsed, err := time.ParseDuration(got)
			if err != nil || parsed != d {
				t.Errorf("%s: the schema has %q, we %s", field, got, d)
			}
		} else if got != fmt.Sprint(want) {
			t.Errorf("%s: the schema has %q, we %v", field, got, want)
		}
	}
}

// schemaDefault reads the default of a field, as in plural.spec.field, from the generated CRDs.
func schemaDefault(t *testing.T, field string) string {
	t.Helper()
	plural, path, _ := strings.Cut(field, ".")
	data, err := os.ReadFile("../../deploy/crds/assay.dev_" + plural + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	at := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, name := range strings.Split(path, ".") {
		if name == "[]" {
			at = at.Items.Schema
			continue
		}
		next, ok := at.Properties[name]
		if !ok {
			t.Fatalf("%s: there is no field %s", field, name)
		}
		at = &next
	}
	if at.Default == nil {
		t.Fatalf("%s has no default in the schema", field)
	}
	var value any
	if err := json.Unmarshal(at.Default.Raw, &value); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(value)
}
