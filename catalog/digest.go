package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// digested is what a suite is to whoever runs it. Annotations and the namespace are not.
type digested struct {
	Name   string                 `json:"name"`
	Labels map[string]string      `json:"labels,omitempty"`
	Spec   v1alpha1.TestSuiteSpec `json:"spec"`
}

// Digest gives the digest of a suite that has its defaults, as [Suite] has it. The encoding
// sorts keys, so it is stable: what the API server keeps of a suite gives the same again.
func Digest(s *v1alpha1.TestSuite) (string, error) {
	data, err := json.Marshal(digested{Name: s.Name, Labels: s.Labels, Spec: s.Spec})
	if err != nil {
		return "", fmt.Errorf("encoding suite %q: %w", s.Name, err)
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
