// Package v1alpha1 holds the kinds of assay.dev/v1alpha1: TestRepository, TestEnvironment,
// TestSuite and TestRun, with their defaults, validation, conditions and reasons.
//
// The CRD types are the domain types: brains compute with them, hands store them, and no
// other package keeps a twin. The package imports nothing of ours.
//
// +kubebuilder:object:generate=true
// +groupName=assay.dev
package v1alpha1
