package render

//lint:file-ignore SA1019 fields that kustomize has given up are still in use, so they must be followed

import (
	"encoding/json"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/assay-dev/assay/catalog"
)

// Suites are entangled when what one comes to may depend on another, or when it cannot be told
// which file a rendered suite comes from. The rules are on the safe side: an entangled catalog
// is rendered as a whole, which is only slower.

// innerAnnotations are those by which kustomize keeps its books, and ours.
var innerAnnotations = []string{"config.kubernetes.io", "config.k8s.io", sourceAnnotation, strings.ReplaceAll(sourceAnnotation, "/", "~1")}

func mentionsInner(text string) bool {
	return slices.ContainsFunc(innerAnnotations, func(name string) bool { return strings.Contains(text, name) })
}

// lookAtKustomization notes what entangles suites.
func (s *scan) lookAtKustomization(t *types.Kustomization) {
	keys := slices.Concat(sorted(t.CommonAnnotations), sorted(t.CommonLabels))
	s.entangled = s.entangled ||
		len(t.Replacements) > 0 || // copy from one to another
		len(t.Configurations) > 0 || // may say that names refer to each other
		slices.ContainsFunc(keys, mentionsInner)
}

// lookAtPatch notes what entangles suites, and which ones the patch may name.
func (s *scan) lookAtPatch(p *types.Patch, docs []catalog.Document) {
	if p.Options != nil && (p.Options.AllowNameChange || p.Options.AllowKindChange) {
		s.entangled = true
	}
	if p.Target != nil && p.Target.Name != "" {
		s.named = append(s.named, p.Target.Name) // patchesJson6902 must find exactly that
	}
	for _, doc := range docs {
		switch value := doc.Value.(type) {
		case []any:
			s.entangled = s.entangled || slices.ContainsFunc(value, operationEntangles)
		case map[string]any:
			metadata, _ := value["metadata"].(map[string]any)
			name, _ := metadata["name"].(string)
			s.named = append(s.named, name)
			_, removes := value["$patch"]
			_, replaces := metadata["$patch"]
			s.entangled = s.entangled || removes || replaces
		}
		if text, err := json.Marshal(doc.Value); err != nil || mentionsInner(string(text)) {
			s.entangled = true
		}
	}
}

// operationEntangles tells operations that change what a suite is called, or that it is one.
func operationEntangles(operation any) bool {
	fields, _ := operation.(map[string]any)
	field, _ := fields["path"].(string)
	for _, harmless := range []string{"/spec/", "/metadata/labels/", "/metadata/annotations/"} {
		if strings.HasPrefix(field, harmless) {
			return false
		}
	}
	return !slices.Contains([]string{"/spec", "/metadata/labels", "/metadata/annotations"}, field)
}

// independent says whether suites may be rendered in parts.
func (s *scan) independent() bool {
	if s.entangled || len(s.namesakes()) > 0 {
		return false
	}
	for _, f := range s.suites {
		if f.inner {
			return false
		}
	}
	return true
}
