package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// scan walks everything that a rendering would read, before kustomize sees any of it.
//
// What kustomize gets is not what was committed but what scan understood, written anew: the
// values as JSON, each reference as a path that begins with ../ and that we made. So no trick of
// writing can mean one thing here and another there.
type scan struct {
	loader *loader
	memo   *memo.Memo
	limits Limits
	// files are for kustomize, in the layout of layout.go.
	files map[string][]byte
	// read are the paths that were read, inputs those of them that generators take.
	read, inputs map[string]bool
	// parsed kustomizations by folder; nil for broken ones.
	parsed map[string]*kustomization
	// suites are the files that define some; nil for broken ones.
	suites map[string]*suiteFile
	// entangled says that suites depend on each other, named are the names that patches
	// mean; see entangled.go.
	entangled bool
	named     []string
	// visits, work and delimited count towards limits.
	visits, work, delimited int
	errs                    []error
}

// kustomization is one that was parsed and whose own files were read.
type kustomization struct {
	file     string
	doc      catalog.Document
	types    types.Kustomization
	children []child
	// resources are the files of suites; generated counts the objects of generators.
	resources []string
	generated int
	// weight is what its transformations cost for each object they see, and delimited counts
	// those that can double a value.
	weight, delimited int
}

// child is a kustomization that another one names; a component transforms the objects of the
// one that names it.
type child struct {
	dir, field string
	component  bool
}

// suiteFile is a file of suites as it was understood.
type suiteFile struct {
	// sum of its path and content.
	sum         memo.Sum
	definitions []definition
	// canonical is for kustomize. inner says that a suite has annotations of kustomize.
	canonical []byte
	inner     bool
}

// definition is a suite in its source file.
type definition struct {
	name, namespace, file string
	line                  int
}

// scanOverlay reads all that the overlay reaches. The scan is of use only without an error.
func scanOverlay(ctx context.Context, tree fs.FS, overlay string, limits Limits, memo *memo.Memo) (*scan, error) {
	s := &scan{
		loader: newLoader(tree, limits), limits: limits, memo: memo,
		files: map[string][]byte{}, read: map[string]bool{}, inputs: map[string]bool{},
		parsed: map[string]*kustomization{}, suites: map[string]*suiteFile{},
	}
	config, err := transformerConfig()
	if err != nil {
		return nil, err
	}
	s.files[configurationFile] = config
	if _, err := s.visit(ctx, overlay, fault.Place{File: overlay}, nil); err != nil {
		return nil, err
	}
	if err := errors.Join(s.errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Bounds of what transformations may do. kustomize cannot be interrupted, so it must not begin
// what would take minutes.
const (
	// maxWork is for transformations times objects; a large patch counts for each 1024 bytes.
	// One took 0.6 ms of a processor when measured, with JSON 6902 patches.
	maxWork = 20_000
	// maxDelimited is for replacements of a part of a delimited text: each can double it.
	maxDelimited = 8
)

// visited is what a kustomization amounts to.
type visited struct{ objects, weight int }

// visit goes to a kustomization as often as kustomize would, which may be many times by many
// ways. An error ends the scan: it means that a limit is exceeded or that the context is done.
// Other faults are gathered.
func (s *scan) visit(ctx context.Context, dir string, from fault.Place, ancestors []string) (v visited, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	if s.visits++; s.visits > s.limits.Files {
		return v, fault.New(fault.LimitExceeded, from, "include each kustomization once", "kustomizations are included more than %d times", s.limits.Files)
	}
	if slices.Contains(ancestors, dir) {
		s.errs = append(s.errs, fault.New(fault.InvalidCatalog, from, "break the circle", "%q includes itself", dir))
		return v, nil
	}
	if len(ancestors) == s.limits.Depth {
		return v, fault.New(fault.LimitExceeded, from, "include fewer levels", "kustomizations include each other over more than %d levels", s.limits.Depth)
	}
	k, known := s.parsed[dir]
	if !known {
		if k, err = s.parse(dir, from); err != nil {
			return v, err
		}
		s.parsed[dir] = k
	}
	if k == nil {
		return v, nil
	}
	v = visited{objects: k.generated, weight: k.weight}
	for _, file := range k.resources {
		if f := s.suites[file]; f != nil {
			v.objects += len(f.definitions)
		}
	}
	for _, c := range k.children {
		inner, err := s.visit(ctx, c.dir, k.place(c.field), append(ancestors, dir))
		if err != nil {
			return v, err
		}
		v.objects += inner.objects
		if c.component {
			v.weight += inner.weight
		}
	}
	return v, s.count(k, v)
}

// count adds what a kustomization takes, and says when it is too much.
func (s *scan) count(k *kustomization, v visited) error {
	if v.objects > s.limits.Suites {
		return fault.New(fault.LimitExceeded, k.place(""), "split the catalog", "more than %d suites and generated objects", s.limits.Suites)
	}
	// kustomize compares all objects with each other each time one includes another.
	if s.work += v.weight*(v.objects+1) + v.objects*v.objects/1000; s.work > maxWork {
		return fault.New(fault.LimitExceeded, k.place(""), "use fewer or smaller patches and replacements, or split the catalog", "its transformations are too much work for the %d objects they see", v.objects)
	}
	if s.delimited += k.delimited; s.delimited > maxDelimited {
		return fault.New(fault.LimitExceeded, k.place("replacements"), "write whole values", "more than %d fields are replaced in parts, with a delimiter", maxDelimited)
	}
	return nil
}

func (k *kustomization) place(field string) fault.Place {
	return fault.Place{File: k.file, Line: k.doc.Line(field), Field: field}
}

// parse reads the kustomization of a folder and all files that it names, and writes it anew
// for kustomize. nil means that faults were gathered.
func (s *scan) parse(dir string, from fault.Place) (*kustomization, error) {
	file, data, err := s.findKustomization(dir, from)
	if err != nil || file == "" {
		return nil, err
	}
	k := &kustomization{file: file, weight: 1}
	docs, err := catalog.Documents(file, data)
	if err != nil {
		return nil, s.gather(err)
	}
	if len(docs) != 1 {
		s.errs = append(s.errs, fault.New(fault.InvalidCatalog, fault.Place{File: file}, "write resources: and the files of the suites", "the kustomization has %d documents, not one", len(docs)))
		return nil, nil
	}
	k.doc = docs[0]
	if s.refuseFields(k) {
		return nil, nil
	}
	if err := k.doc.Decode(&k.types); err != nil {
		return nil, s.gather(err)
	}
	s.lookAtKustomization(&k.types)
	before := len(s.errs)
	if err := s.follow(dir, k); err != nil {
		return nil, err
	}
	if len(s.errs) > before {
		return nil, nil
	}
	k.types.BuildMetadata = nil
	k.types.Configurations = append(k.types.Configurations, "../../"+configurationFile)
	canonical, err := catalog.JSON(k.types)
	if err != nil {
		return nil, fmt.Errorf("encoding %q: %w", file, err)
	}
	k.weight += (len(canonical) - listBytes(k.types.Resources, k.types.Components)) / 1024
	s.files[laidOut(dir)] = canonical
	return k, nil
}

// listBytes is about what lists take in JSON: they transform nothing, so they weigh nothing.
func listBytes(lists ...[]string) int {
	n := 0
	for _, list := range lists {
		for _, text := range list {
			n += len(text) + len(`"",`)
		}
	}
	return n
}

// findKustomization finds and reads the one kustomization of a folder; an empty name means
// that faults were gathered.
func (s *scan) findKustomization(dir string, from fault.Place) (file string, data []byte, err error) {
	var found []string
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		switch _, err := s.loader.kind(path.Join(dir, name)); {
		case err == nil:
			found = append(found, path.Join(dir, name))
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, s.gather(placed(err, name, fault.Place{File: path.Join(dir, name)}))
		}
	}
	switch len(found) {
	case 0:
		s.errs = append(s.errs, fault.New(fault.InvalidCatalog, from, "add one that lists the suites as resources", "the folder %q has no kustomization.yaml", dir))
		return "", nil, nil
	case 1:
		data, err := s.load(found[0], fault.Place{File: found[0]})
		if err != nil || data == nil {
			return "", nil, err
		}
		return found[0], data, nil
	}
	s.errs = append(s.errs, fault.New(fault.InvalidCatalog, fault.Place{File: found[1]}, "keep one of them", "the folder %q has several kustomizations, also %s", dir, path.Base(found[0])))
	return "", nil, nil
}

// refuseFields looks at the names as kustomize reads them, in any case, so that a field that
// is refused gets its own message and not one about its spelling.
func (s *scan) refuseFields(k *kustomization) bool {
	fields, _ := k.doc.Value.(map[string]any)
	before := len(s.errs)
	for _, key := range sorted(fields) {
		for name, r := range refused {
			if strings.EqualFold(key, name) {
				s.errs = append(s.errs, fault.New(r.reason, k.place(key), r.remedy, "%s", r.why))
			}
		}
	}
	return len(s.errs) > before
}

// readFiles are the paths that were read.
func (s *scan) readFiles() []string { return sorted(s.read) }

// load reads a file that the place names; nil data means that a fault was gathered.
func (s *scan) load(file string, from fault.Place) ([]byte, error) {
	data, err := s.loader.read(file)
	if err != nil {
		return nil, s.gather(placed(err, file, from))
	}
	s.read[file] = true
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// gather keeps faults that others can join, and gives back those that end the scan.
func (s *scan) gather(err error) error {
	for _, f := range fault.All(err) {
		if f.Reason == fault.LimitExceeded || f.Reason == fault.InternalError || f.Kind() == fault.Transient {
			return err
		}
	}
	s.errs = append(s.errs, err)
	return nil
}

// placed classifies what the tree gave for the name: a fault stays what it is.
func placed(err error, name string, from fault.Place) error {
	var f *fault.Fault
	switch {
	case errors.As(err, &f):
		return fault.At(f, from)
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.InvalidCatalog, from, "correct the path or commit the file; only what lies below the folder of the tests is read", "%q is not there", short(name))
	case errors.Is(err, errIsFolder):
		return fault.New(fault.InvalidCatalog, from, "name a file", "%q is a folder", short(name))
	}
	return fmt.Errorf("%s: reading %q: %w", from, short(name), err)
}

// canonical writes documents anew, as JSON.
func canonical(docs []catalog.Document) ([]byte, error) {
	var out []byte
	for i, doc := range docs {
		if i > 0 {
			out = append(out, "\n---\n"...)
		}
		data, err := catalog.JSON(doc.Value)
		if err != nil {
			return nil, fmt.Errorf("encoding YAML anew: %w", err)
		}
		out = append(out, data...)
	}
	return out, nil
}

// short cuts a text of the repository for a message.
func short(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
