package v1alpha1

import (
	"fmt"
	"strings"
)

// CatalogDifference is what differs between two catalogs, the earlier and the later. Values
// that look like secrets are masked; what does not fit is counted.
type CatalogDifference struct {
	// added are the suites that only the later catalog has, sorted.
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=253
	// +listType=atomic
	// +optional
	Added []string `json:"added,omitempty"`
	// removed are the suites that only the earlier catalog has, sorted.
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=253
	// +listType=atomic
	// +optional
	Removed []string `json:"removed,omitempty"`
	// changed are the suites that both have, but not alike, sorted.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=suite
	// +optional
	Changed []SuiteDifference `json:"changed,omitempty"`
	// more counts the suites that differ too and are left out here.
	// +kubebuilder:validation:Minimum=0
	// +optional
	More int32 `json:"more,omitempty"`
}

// SuiteDifference is what differs between two renderings of a suite.
type SuiteDifference struct {
	// suite is its name.
	// +kubebuilder:validation:MaxLength=253
	// +required
	Suite string `json:"suite"`
	// fields that differ, in the order of the spec's field names.
	// +kubebuilder:validation:MaxItems=100
	// +listType=atomic
	// +optional
	Fields []FieldDifference `json:"fields,omitempty"`
	// more counts the fields that differ too and are left out here.
	// +kubebuilder:validation:Minimum=0
	// +optional
	More int32 `json:"more,omitempty"`
}

// FieldDifference is a field that differs.
type FieldDifference struct {
	// path of the field, such as spec.env[name=BASE_URL].value.
	// +kubebuilder:validation:MaxLength=256
	// +required
	Path string `json:"path"`
	// before is the earlier value as one short line, "" in quotes for an empty string.
	// Without it the field was not there.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Before string `json:"before,omitempty"`
	// after is the later value likewise. Without it the field is not there any more.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	After string `json:"after,omitempty"`
}

// Empty says whether nothing differs.
func (d CatalogDifference) Empty() bool {
	return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 && d.More == 0
}

// Summary counts what differs, such as "2 added, 1 changed"; "no difference" when nothing does.
func (d CatalogDifference) Summary() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{len(d.Added), "added"}, {len(d.Removed), "removed"}, {len(d.Changed), "changed"}, {int(d.More), "more"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	if len(parts) == 0 {
		return "no difference"
	}
	return strings.Join(parts, ", ")
}
