// Package crds holds the generated CRDs, for programs that need their schemas.
package crds

import _ "embed" // for the CRDs

// TestSuites is the CRD of TestSuite, YAML.
//
//go:embed assay.dev_testsuites.yaml
var TestSuites []byte
