package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	structuraldefaulting "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// crd is the validation of the API server, made of the generated CRD.
type crd struct {
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	cel        *cel.Validator
}

func loadCRD(t *testing.T) crd {
	t.Helper()
	data, err := os.ReadFile("../deploy/crds/assay.dev_testsuites.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var v1 apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &v1); err != nil {
		t.Fatal(err)
	}
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v1.Spec.Versions[0].Schema.OpenAPIV3Schema, &props, nil); err != nil {
		t.Fatal(err)
	}
	structural, err := structuralschema.NewStructural(&props)
	if err != nil {
		t.Fatal(err)
	}
	schema, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		t.Fatal(err)
	}
	return crd{structural, schema, cel.NewValidator(structural, true, math.MaxUint64)}
}

// refuses says what the API server would say about the suite.
func (c crd) refuses(object map[string]any) field.ErrorList {
	structuraldefaulting.Default(object, c.structural)
	errs := validation.ValidateCustomResource(nil, object, c.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.structural, object)...)
	byCEL, _ := c.cel.Validate(context.Background(), nil, c.structural, object, nil, math.MaxInt64)
	return append(errs, byCEL...)
}

// decodeJSON gives an object as the API server gets it. (YAML 1.1 would read the key on as true.)
func decodeJSON(t *testing.T, text string) map[string]any {
	t.Helper()
	docs, err := Documents("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(docs[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// TestWhatTheSchemaRefusesIsRefusedHere gives the same specs to the API server's validation and
// to ours: ours may be stricter, and says so in the table.
func TestWhatTheSchemaRefusesIsRefusedHere(t *testing.T) {
	const strictly = true
	long := strings.Repeat("x", 600)
	many := func(n int, item string) string { return "[" + strings.Repeat(item+",", n) + "]" }
	tests := []struct {
		spec     string
		valid    bool
		stricter bool // than the schema
	}{
		{spec: `{tool: k6}`, valid: true},
		{spec: `{image: a}`, valid: true},
		{spec: `{tool: shell, image: a}`, valid: true},
		{spec: `{tool: go-test, report: {format: none}}`, valid: true},
		{spec: `{image: a, command: [b], report: {format: tap}}`, valid: true},
		{spec: `{}`},
		{spec: `{tool: container}`},
		{spec: `{tool: shell}`},
		{spec: `{tool: k7}`},
		{spec: `{tool: k6, image: ` + long + `}`},
		{spec: `{image: a b}`, stricter: strictly},
		{spec: `{image: a, imagePullPolicy: No}`},
		{spec: `{image: a, command: ` + many(65, "a") + `}`},
		{spec: `{image: a, args: ` + many(257, "a") + `}`},
		{spec: `{image: a, workingDir: /abs}`},
		{spec: `{image: a, workingDir: a/../b}`},
		{spec: `{image: a, workingDir: a..b}`, valid: true},
		{spec: `{image: a, env: [{name: ASSAY_X, value: a}]}`},
		{spec: `{image: a, env: [{name: A}, {name: A}]}`},
		{spec: `{image: a, env: [{value: A}]}`},
		{spec: `{image: a, env: [{name: "A=", value: a}]}`, stricter: strictly},
		{spec: `{image: a, envFrom: ` + many(33, "{secretRef: {name: a}}") + `}`},
		{spec: `{image: a, envFrom: [{}]}`, stricter: strictly},
		{spec: `{image: a, resources: {limits: {cpu: lots}}}`},
		{spec: `{image: a, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}`, stricter: strictly},
		{spec: `{image: a, runAsUser: 0}`},
		{spec: `{image: a, content: {paths: [/a]}}`},
		{spec: `{image: a, content: {paths: [""]}}`},
		{spec: `{image: a, content: {paths: [a/..]}}`},
		{spec: `{image: a, content: {paths: ` + many(65, "a") + `}}`},
		{spec: `{image: a, report: {format: tap}}`},
		{spec: `{image: a, report: {}}`},
		{spec: `{image: a, report: {format: html}}`},
		{spec: `{image: a, command: [b], report: {format: junit}}`, stricter: strictly},
		{spec: `{image: a, command: [b], report: {format: junit, path: /etc/x}}`, stricter: strictly},
		{spec: `{image: a, command: [b], report: {format: junit, path: "out/**/*.xml"}}`, valid: true},
		{spec: `{image: a, on: {push: {paths: [""]}}}`},
		{spec: `{image: a, on: {push: {paths: [` + long + `]}}}`},
		{spec: `{image: a, on: {push: {paths: ["["]}}}`, stricter: strictly},
		{spec: `{image: a, on: {push: {branches: ` + many(33, "a") + `}}}`},
		{spec: `{image: a, on: {schedule: [{}]}}`},
		{spec: `{image: a, on: {schedule: [{cron: "* * * *"}]}}`},
		{spec: `{image: a, on: {schedule: [{cron: "* * * * x"}]}}`, stricter: strictly},
		{spec: `{image: a, on: {schedule: [{cron: "* * * * *", timeZone: Nowhere}]}}`, stricter: strictly},
		{spec: `{image: a, on: {schedule: ` + many(9, `{cron: "* * * * *"}`) + `}}`},
		{spec: `{image: a, timeout: 999ms}`},
		{spec: `{image: a, timeout: soon}`},
		{spec: `{image: a, timeout: 1s}`, valid: true},
		{spec: `{image: a, retries: {infrastructure: 6}}`},
		{spec: `{image: a, retries: {infrastructure: -1}}`},
		{spec: `{image: a, gate: perhaps}`},
		{spec: `{image: a, owners: ` + many(17, "a") + `}`},
		{spec: `{image: a, owners: [` + long + `]}`},
		{spec: `{image: a, suspend: 1}`},
	}
	schema := loadCRD(t)
	for _, test := range tests {
		t.Run(test.spec[:min(len(test.spec), 60)], func(t *testing.T) {
			text := "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: a}\nspec: " + test.spec + "\n"
			object := decodeJSON(t, text)
			theirs := schema.refuses(object)
			_, ours := New([]Object{{Name: "a", YAML: []byte(text)}}, nil)
			if (len(theirs) == 0) != (test.valid || test.stricter) {
				t.Errorf("the schema says %v", theirs)
			}
			if (ours == nil) != test.valid {
				t.Errorf("New says %v", ours)
			}
		})
	}
}

// TestDefaultsAreThoseOfTheSchema compares what New fills in with what the API server would.
func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	const text = "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: a}\nspec: {image: a, retries: {}, on: {schedule: [{cron: 0 2 * * *}]}}\n"
	object := decodeJSON(t, text)
	structuraldefaulting.Default(object, loadCRD(t).structural)
	c, err := New([]Object{{Name: "a", YAML: []byte(text)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(c.Suites[0].Spec)
	if err != nil {
		t.Fatal(err)
	}
	var ours map[string]any
	if err := json.Unmarshal(data, &ours); err != nil {
		t.Fatal(err)
	}
	defaulted := object["spec"].(map[string]any)
	if len(defaulted) < 6 {
		t.Fatalf("the schema fills in nothing: %v", defaulted)
	}
	for name, want := range defaulted {
		if got, want := fmt.Sprint(ours[name]), fmt.Sprint(want); got != want {
			t.Errorf("spec.%s: got %s, the API server would fill in %s", name, got, want)
		}
	}
}

// TestToolsAreThoseOfTheSchema: the enum of spec.tool and the presets name the same tools.
func TestToolsAreThoseOfTheSchema(t *testing.T) {
	spec := loadCRD(t).structural.Properties["spec"]
	tool := spec.Properties["tool"]
	var enum []string
	for _, value := range tool.ValueValidation.Enum {
		enum = append(enum, value.Object.(string))
	}
	slices.Sort(enum)
	if got := toolNames(); !slices.Equal(got, enum) {
		t.Errorf("presets %v, enum %v", got, enum)
	}
	for _, preset := range Tools() {
		if preset.Description == "" || preset.Report.Format == "" {
			t.Errorf("the preset of %s is incomplete: %+v", preset.Name, preset)
		}
	}
}

// TestReportFormatsAreThoseThatCanBeRead: the schema, our own check and the parsers know the same.
func TestReportFormatsAreThoseThatCanBeRead(t *testing.T) {
	enum := loadCRD(t).structural.Properties["spec"].Properties["report"].Properties["format"].ValueValidation.Enum
	var schema []string
	for _, value := range enum {
		schema = append(schema, fmt.Sprint(value.Object))
	}
	ours := reportFormats()
	slices.Sort(schema)
	slices.Sort(ours)
	if !slices.Equal(schema, ours) {
		t.Errorf("the schema has %q, we %q", schema, ours)
	}
}
