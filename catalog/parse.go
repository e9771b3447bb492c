package catalog

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// ParseFile reads the suites of a source file, before any patch and without defaults. file is
// its path from the root of the repository and goes into the faults.
//
// It is strict: an unknown field, a field given twice or a value of the wrong type is a fault
// InvalidCatalog with file, line and field, and so is an object of another kind. What patches
// may still fill in is not asked for here, [New] does that. All problems are reported, joined.
// A file that is too large or too deep is a fault LimitExceeded.
func ParseFile(file string, data []byte) ([]v1alpha1.TestSuite, error) {
	docs, err := Documents(file, data)
	if err != nil {
		return nil, err
	}
	return Parse(file, docs)
}

// Parse reads the suites of the documents of a source file, as [ParseFile] does.
func Parse(file string, docs []Document) ([]v1alpha1.TestSuite, error) {
	var suites []v1alpha1.TestSuite
	var errs []error
	for _, doc := range docs {
		p := &problems{file: file, doc: doc}
		if suite, ok := parseSuite(doc, p); ok {
			validateFields(&suite, p)
			suites = append(suites, suite)
		}
		errs = append(errs, p.err())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return suites, nil
}

// parseSuite decodes a document that must be a TestSuite.
func parseSuite(doc Document, p *problems) (v1alpha1.TestSuite, bool) {
	object, ok := doc.Value.(map[string]any)
	if !ok {
		p.add("", "write a TestSuite", "the document is not an object")
		return v1alpha1.TestSuite{}, false
	}
	switch {
	case object["kind"] != v1alpha1.TestSuiteKind:
		p.add("kind", "keep other objects out of the folder of the tests; write ConfigMaps as configMapGenerator, and create Secrets in the namespace of the environment",
			"a catalog holds objects of kind %s only, not %s", v1alpha1.TestSuiteKind, shownOr(object["kind"], "one without kind"))
		return v1alpha1.TestSuite{}, false
	case object["apiVersion"] != v1alpha1.GroupVersion.String():
		p.add("apiVersion", "write apiVersion: "+v1alpha1.GroupVersion.String(),
			"%s is not known", shownOr(object["apiVersion"], "a suite without apiVersion"))
		return v1alpha1.TestSuite{}, false
	case object["spec"] == nil:
		p.add("spec", "write spec: {} and say what to run", "the suite has no spec")
		return v1alpha1.TestSuite{}, false
	}
	var m manifest
	ok = p.decode(doc, &m)
	return v1alpha1.TestSuite{TypeMeta: m.TypeMeta, ObjectMeta: m.ObjectMeta, Spec: m.Spec}, ok
}

// manifest is what a file may say of a suite: a status is the controller's to write, and none
// of the fields that a file can have.
type manifest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              v1alpha1.TestSuiteSpec `json:"spec"`
}

func shownOr(value any, none string) string {
	if value == nil {
		return none
	}
	return shown(value)
}
