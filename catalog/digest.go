package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// digested is what a suite is to whoever runs it. Annotations and the namespace are not.
type digested struct {
	Name   string                 `json:"name"`
	Labels map[string]string      `json:"labels,omitempty"`
	Spec   v1alpha1.TestSuiteSpec `json:"spec"`
}

// digest of a suite with its defaults. The encoding sorts keys, so it is stable.
func digest(s *v1alpha1.TestSuite) (string, error) {
	data, err := json.Marshal(digested{Name: s.Name, Labels: s.Labels, Spec: s.Spec})
	if err != nil {
		return "", fmt.Errorf("encoding suite %q: %w", s.Name, err)
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// changedFields names the fields that differ between two renderings of a suite, such as
// "spec.args", sorted.
func changedFields(a, b *v1alpha1.TestSuite) []string {
	var changed []string
	if !sameJSON(a.Labels, b.Labels) {
		changed = append(changed, "metadata.labels")
	}
	va, vb := reflect.ValueOf(a.Spec), reflect.ValueOf(b.Spec)
	for name, index := range specFields() {
		if !sameJSON(va.Field(index).Interface(), vb.Field(index).Interface()) {
			changed = append(changed, "spec."+name)
		}
	}
	slices.Sort(changed)
	return changed
}

// specFields gives the index of each field of the spec by its name in JSON.
func specFields() map[string]int {
	t := reflect.TypeFor[v1alpha1.TestSuiteSpec]()
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		fields[jsonName(t.Field(i))] = i
	}
	return fields
}

// sameJSON compares as the digest does: quantities that are written alike are equal.
func sameJSON(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
