package render

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/crds"
)

// What kustomize has to know of TestSuites is derived from their CRD, so that it cannot say
// anything else: lists that are maps (listType=map) are merged by their key, every field called
// image is one that images: can change, and names of generated ConfigMaps are followed wherever
// they are referred to.

// property is what of a JSON schema matters here.
type property struct {
	Type                 string              `json:"type,omitempty"`
	Properties           map[string]property `json:"properties,omitempty"`
	Items                *property           `json:"items,omitempty"`
	AdditionalProperties *property           `json:"additionalProperties,omitempty"`
	ListType             string              `json:"x-kubernetes-list-type,omitempty"`
	ListMapKeys          []string            `json:"x-kubernetes-list-map-keys,omitempty"`
	PatchStrategy        string              `json:"x-kubernetes-patch-strategy,omitempty"`
	PatchMergeKey        string              `json:"x-kubernetes-patch-merge-key,omitempty"`
}

// suiteSchema is that of the version of TestSuites that is rendered.
func suiteSchema() (property, error) {
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema property `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(crds.TestSuites, &crd); err != nil {
		return property{}, fmt.Errorf("reading the CRD of TestSuite: %w", err)
	}
	for _, version := range crd.Spec.Versions {
		if version.Name == v1alpha1.GroupVersion.Version {
			return version.Schema.OpenAPIV3Schema, nil
		}
	}
	return property{}, fmt.Errorf("the CRD of TestSuite has no version %s", v1alpha1.GroupVersion.Version)
}

// mergeable says to strategic merge patches what the markers of the CRD say to server-side
// apply: which lists are merged, and by what.
func (p property) mergeable() property {
	switch p.ListType {
	case "map":
		p.PatchStrategy = "merge"
		if len(p.ListMapKeys) == 1 {
			p.PatchMergeKey, p.ListMapKeys = p.ListMapKeys[0], nil
		}
	case "set":
		p.PatchStrategy = "merge"
	}
	properties := make(map[string]property, len(p.Properties))
	for name, inner := range p.Properties {
		properties[name] = inner.mergeable()
	}
	p.Properties = properties
	for _, inner := range []**property{&p.Items, &p.AdditionalProperties} {
		if *inner != nil {
			merged := (*inner).mergeable()
			*inner = &merged
		}
	}
	return p
}

// fields gives the paths, as field specs of kustomize, of the properties that match.
func (p property) fields(path string, match func(name string, p property) bool) []string {
	var found []string
	for _, name := range sorted(p.Properties) {
		inner := p.Properties[name]
		at := strings.TrimPrefix(path+"/"+name, "/")
		if match(name, inner) {
			found = append(found, at)
		}
		if inner.Items != nil {
			at, inner = at+"[]", *inner.Items
		}
		found = append(found, inner.fields(at, match)...)
	}
	return found
}

// loadSchema gives kustomize the schema of TestSuites, once in the life of the process, and
// keeps out that of Kubernetes: a catalog has none of its kinds but generated ConfigMaps, whose
// data is merged without a schema. Nothing changes the schema afterwards, since scan refuses the
// fields openapi and crds, so renderings cannot disturb each other through it.
var loadSchema = sync.OnceValue(func() error {
	suite, err := suiteSchema()
	if err != nil {
		return err
	}
	definition := struct {
		property
		Kinds []map[string]string `json:"x-kubernetes-group-version-kind"`
	}{suite.mergeable(), []map[string]string{{
		"group": v1alpha1.GroupVersion.Group, "version": v1alpha1.GroupVersion.Version, "kind": v1alpha1.TestSuiteKind,
	}}}
	data, err := json.Marshal(map[string]any{"definitions": map[string]any{"dev.assay.TestSuite": definition}})
	if err != nil {
		return fmt.Errorf("encoding the schema of TestSuite: %w", err)
	}
	openapi.SuppressBuiltInSchemaUse()
	if err := openapi.AddSchema(data); err != nil {
		return fmt.Errorf("loading the schema of TestSuite: %w", err)
	}
	openapi.Schema() // so that the first renderings do not load the rest at once
	return nil
})

// transformerConfig says to kustomize which fields of TestSuites hold images and names of
// ConfigMaps, as its own configuration says for pods.
var transformerConfig = sync.OnceValues(func() ([]byte, error) {
	suite, err := suiteSchema()
	if err != nil {
		return nil, err
	}
	images := suite.fields("", func(name string, p property) bool { return name == "image" && p.Type == "string" })
	names := suite.fields("", func(name string, _ property) bool { return name == "configMapRef" || name == "configMapKeyRef" })
	for i, field := range names {
		names[i] = strings.ReplaceAll(field, "[]", "") + "/name"
	}
	data, err := json.Marshal(map[string]any{
		"images":        fieldSpecs(images),
		"nameReference": []any{map[string]any{"kind": "ConfigMap", "version": "v1", "fieldSpecs": fieldSpecs(names)}},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the configuration of transformers: %w", err)
	}
	return data, nil
})

func fieldSpecs(paths []string) []types.FieldSpec {
	specs := make([]types.FieldSpec, len(paths))
	for i, path := range paths {
		specs[i].Path = path
		specs[i].Group, specs[i].Kind = v1alpha1.GroupVersion.Group, v1alpha1.TestSuiteKind
	}
	return specs
}
