package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "assay.dev", Version: "v1alpha1"}

// The names of the kinds.
const (
	TestRepositoryKind  = "TestRepository"
	TestEnvironmentKind = "TestEnvironment"
	TestSuiteKind       = "TestSuite"
	TestRunKind         = "TestRun"
)

// AddToScheme registers the kinds with a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&TestRepository{}, &TestRepositoryList{},
		&TestEnvironment{}, &TestEnvironmentList{},
		&TestSuite{}, &TestSuiteList{},
		&TestRun{}, &TestRunList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
