package render

import (
	"context"
	"slices"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/crds"
)

// TestListsMergeAsTheCRDSays goes through the CRD as it is generated: what it calls a map is
// merged by its key in patches, and nothing else is.
func TestListsMergeAsTheCRDSays(t *testing.T) {
	if err := loadSchema(); err != nil {
		t.Fatal(err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(crds.TestSuites, &crd); err != nil {
		t.Fatal(err)
	}
	version := crd["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	root := openapi.SchemaForResourceType(kyaml.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.TestSuiteKind})
	if root == nil {
		t.Fatal("kustomize does not know TestSuites")
	}
	merged := 0
	var walk func(path []string, schema map[string]any)
	walk = func(path []string, schema map[string]any) {
		if schema["type"] == "array" {
			strategy, key := root.Lookup(path...).PatchStrategyAndKey()
			switch schema["x-kubernetes-list-type"] {
			case "map":
				merged++
				want := schema["x-kubernetes-list-map-keys"].([]any)[0]
				if strategy != "merge" || key != want {
					t.Errorf("%v: strategy %q, key %q, want merge by %q", path, strategy, key, want)
				}
			case "set":
			default:
				if strategy != "" {
					t.Errorf("%v is merged (%q), which the CRD does not say", path, strategy)
				}
			}
			walk(append(slices.Clone(path), openapi.Elements), schema["items"].(map[string]any))
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, inner := range properties {
			walk(append(slices.Clone(path), name), inner.(map[string]any))
		}
	}
	walk(nil, version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any))
	if merged < 2 { // env, and resources.claims
		t.Errorf("only %d lists of the CRD are maps", merged)
	}
}

// TestWhatKustomizeKnowsOfSuites lists the fields that images: and the names of generated
// ConfigMaps reach, as they follow from the CRD.
func TestWhatKustomizeKnowsOfSuites(t *testing.T) {
	data, err := transformerConfig()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"images":[{"group":"assay.dev","kind":"TestSuite","path":"spec/image"}],` +
		`"nameReference":[{"fieldSpecs":[` +
		`{"group":"assay.dev","kind":"TestSuite","path":"spec/env/valueFrom/configMapKeyRef/name"},` +
		`{"group":"assay.dev","kind":"TestSuite","path":"spec/envFrom/configMapRef/name"}],"kind":"ConfigMap","version":"v1"}]}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
}

// TestFeatures reads the worlds of testdata/features: what a kustomization can do to suites.
func TestFeatures(t *testing.T) {
	for _, w := range readWorlds(t, "testdata/features/*.txtar") {
		t.Run(w.title(), func(t *testing.T) {
			c, err := Render(context.Background(), w.head, w.overlay(), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if w.section("suites") == nil {
				t.Fatal("the world expects nothing: add an empty section suites, and run with -update")
			}
			w.expect(t, "suites", suitesText(t, c))
		})
	}
}
