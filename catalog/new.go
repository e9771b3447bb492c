package catalog

import (
	"errors"
	"slices"
	"strings"
	"unsafe"

	"github.com/assay-dev/assay/api/fault"
)

// Object is one object that rendering made.
type Object struct {
	// Name of the object, for messages about one that cannot be decoded.
	Name string
	// YAML of the object, one document (JSON is YAML too).
	YAML []byte
	// File that defines it, from the root of the repository; empty when it is not known.
	File string
}

// New makes a catalog of rendered objects: strict again on what the patches made of them,
// defaults and presets filled in, validated as the API server would, and a little more (cron,
// time zones, globs). files are the paths that rendering read.
//
// Every problem is reported, joined, as faults InvalidCatalog that name the suite, the file
// that defines it and the field.
func New(objects []Object, files []string) (Catalog, error) {
	suites := make([]Suite, 0, len(objects))
	var errs []error
	for _, o := range objects {
		suite, err := NewSuite(o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		suites = append(suites, suite)
	}
	c, err := Assemble(suites, files)
	if err := errors.Join(append(errs, err)...); err != nil {
		return Catalog{}, err
	}
	return c, nil
}

// NewSuite makes a suite of a rendered object, as [New] does of all.
func NewSuite(o Object) (Suite, error) {
	docs, err := Documents(o.File, o.YAML)
	if err != nil {
		return Suite{}, err
	}
	p := &problems{file: o.File, suite: o.Name}
	if len(docs) != 1 {
		p.add("", "", "%d objects where one is needed", len(docs))
		return Suite{}, p.err()
	}
	parsed, ok := parseSuite(docs[0], p)
	if !ok {
		return Suite{}, p.err()
	}
	validateFields(&parsed, p)
	applyDefaults(&parsed)
	validateWhole(&parsed, p)
	sum, err := Digest(&parsed)
	if err != nil {
		return Suite{}, err
	}
	// A text of JSON takes several times its length as values behind pointers and in maps.
	weight := int64(unsafe.Sizeof(Suite{})) + 6*int64(len(o.YAML))
	return Suite{TestSuite: parsed, File: o.File, Digest: sum, Weight: weight}, p.err()
}

// Assemble makes a catalog of suites; files are the paths that rendering read. Two suites of one
// name are a fault InvalidCatalog.
func Assemble(suites []Suite, files []string) (Catalog, error) {
	c := Catalog{Suites: slices.Clone(suites), Files: slices.Clone(files)}
	slices.Sort(c.Files)
	c.Files = slices.Compact(c.Files)
	slices.SortStableFunc(c.Suites, func(a, b Suite) int { return strings.Compare(a.Name, b.Name) })
	var errs []error
	for i := 1; i < len(c.Suites); i++ {
		if a, b := c.Suites[i-1], c.Suites[i]; a.Name == b.Name {
			errs = append(errs, twice(a, b))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Catalog{}, err
	}
	return c, nil
}

func twice(a, b Suite) error {
	other := a.File
	if other == "" {
		other = "another file"
	}
	return fault.New(fault.InvalidCatalog, fault.Place{File: b.File, Field: "metadata.name"}, "rename one of them",
		"suite %q is defined twice, also in %s", b.Name, other)
}
