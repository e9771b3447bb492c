package catalog

// Object is one object that rendering made.
type Object struct {
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
	panic("being written")
}
