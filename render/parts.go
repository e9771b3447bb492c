package render

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// kustomize compares each object with every other, so that a thousand suites take far more
// than ten times what a hundred take; and it renders all of them anew when one has changed.
// Nearly always that is needless: prefixes, labels, images and patches make of a suite what
// they would make of it alone. So suites are rendered in parts, and what a file came to is kept.
//
// That is the same as rendering the whole when nothing is entangled (see entangled.go): then
// nothing that kustomize does to one suite depends on another. What remains are errors: two
// suites that come to one name, which [catalog.Assemble] finds; and patches that name no suite
// or several, for which all suites that a patch may mean are part of every part. Whatever looks
// odd, and every error, is left to a rendering of the whole.

// part is the files of suites that kustomize gets at once; nil means all. Those that are false
// have to be there, but what they come to is not asked for.
type part map[string]bool

// catalog gives the catalog that the overlay comes to, with as little of kustomize as possible,
// in parts of so many suites.
func (s *scan) catalog(ctx context.Context, overlay string, partSuites int) (catalog.Catalog, error) {
	whole := func() (catalog.Catalog, error) {
		objects, err := build(ctx, s, overlay, []part{nil})
		if err != nil {
			return catalog.Catalog{}, err
		}
		return catalog.New(objects, s.readFiles())
	}
	if len(s.suites) == 0 || !s.independent() {
		return whole()
	}
	sums, err := s.sums(overlay)
	if err != nil {
		return catalog.Catalog{}, err
	}
	suites, missing := s.remembered(sums)
	if len(missing) > 0 {
		objects, err := build(ctx, s, overlay, s.parts(missing, partSuites))
		if ctx.Err() != nil || err != nil && fault.ReasonOf(err) == fault.LimitExceeded {
			return catalog.Catalog{}, err
		}
		if err != nil {
			return whole()
		}
		made, ok := s.remember(objects, sums, missing)
		if !ok {
			return whole()
		}
		suites = append(suites, made...)
	}
	c, err := catalog.Assemble(suites, s.readFiles())
	if err != nil || len(suites) > s.limits.Suites {
		return whole()
	}
	return c, nil
}

// remembered gives the suites that are known, and the files whose suites are not.
func (s *scan) remembered(sums map[string]memo.Sum) (suites []catalog.Suite, missing []string) {
	for _, file := range sorted(s.suites) {
		if known, ok := s.memo.Get(sums[file]); ok {
			suites = append(suites, known.([]catalog.Suite)...)
		} else {
			missing = append(missing, file)
		}
	}
	return suites, missing
}

// remember makes suites of the objects that the files came to, and keeps them. It is not ok when
// one is not as it should be, or comes from elsewhere.
func (s *scan) remember(objects []catalog.Object, sums map[string]memo.Sum, files []string) (suites []catalog.Suite, ok bool) {
	type made struct {
		suites []catalog.Suite
		bytes  int64
	}
	byFile := make(map[string]*made, len(files))
	for _, file := range files {
		byFile[file] = &made{}
	}
	for _, o := range objects {
		suite, err := catalog.NewSuite(o)
		m := byFile[o.File]
		if err != nil || m == nil {
			return nil, false
		}
		m.suites, m.bytes = append(m.suites, suite), m.bytes+suite.Weight
		suites = append(suites, suite)
	}
	for file, m := range byFile {
		s.memo.Add(sums[file], m.suites, m.bytes)
	}
	return suites, true
}

// parts cuts files into parts of so many suites, though a file is never cut.
func (s *scan) parts(files []string, partSuites int) []part {
	var parts []part
	room := 0
	for _, file := range files {
		n := len(s.suites[file].definitions)
		if room < n || len(parts) == 0 {
			parts, room = append(parts, part{}), partSuites
		}
		parts[len(parts)-1][file] = true
		room -= n
	}
	pinned := s.pinned()
	for _, p := range parts {
		for file := range pinned {
			asked := p[file] // false unless it is asked for
			p[file] = asked
		}
	}
	return parts
}

// pinned are the files with suites that a patch may name.
func (s *scan) pinned() map[string]bool {
	files := map[string]bool{}
	for file, f := range s.suites {
		for _, d := range f.definitions {
			if slices.ContainsFunc(s.named, func(name string) bool { return strings.Contains(name, d.name) }) {
				files[file] = true
			}
		}
	}
	return files
}

// filesOf gives what kustomize gets for a part: the kustomizations with less resources.
func (s *scan) filesOf(p part) (map[string][]byte, error) {
	if p == nil {
		return s.files, nil
	}
	files := make(map[string][]byte, len(p)+len(s.parsed))
	for name, data := range s.files {
		file, isSuites := strings.CutPrefix(name, repositoryFolder+"/")
		if isSuites = isSuites && s.suites[file] != nil; !isSuites || p.has(file) {
			files[name] = data
		}
	}
	for dir, k := range s.parsed {
		if len(k.resources) == 0 {
			continue
		}
		data, err := k.with(func(file string) bool { return p.has(file) })
		if err != nil {
			return nil, err
		}
		files[laidOut(dir)] = data
	}
	return files, nil
}

func (p part) has(file string) bool {
	_, ok := p[file]
	return ok
}

// with writes the kustomization for kustomize, with those files of suites that keep wants.
func (k *kustomization) with(keep func(file string) bool) ([]byte, error) {
	t := k.types
	t.Resources = slices.DeleteFunc(slices.Clone(t.Resources), func(reference string) bool {
		file, isFile := strings.CutPrefix(reference, toFile(repositoryFolder, "")+"/")
		return isFile && !keep(file)
	})
	data, err := catalog.JSON(t)
	if err != nil {
		return nil, fmt.Errorf("encoding %q: %w", k.file, err)
	}
	return data, nil
}

// laidOut is where kustomize finds the kustomization of a folder.
func laidOut(dir string) string {
	return kustomizationFolder + "/" + flat(dir) + "/" + konfig.DefaultKustomizationFileName()
}

// sums gives what each file of suites comes to a name: the sum of all that it depends on. That
// is the overlay with all that is read but suites, the kustomizations that name the file, the
// file itself, and which suites patches may mean.
func (s *scan) sums(overlay string) (files map[string]memo.Sum, err error) {
	h := sha256.New()
	memo.Write(h, []byte(overlay))
	for _, name := range sorted(s.files) {
		if file, ok := strings.CutPrefix(name, repositoryFolder+"/"); ok && s.suites[file] != nil {
			continue
		}
		data := s.files[name]
		if dir := path.Base(path.Dir(name)); strings.HasPrefix(name, kustomizationFolder+"/") {
			if k := s.parsed[unflat(dir)]; k != nil && len(k.resources) > 0 {
				if data, err = k.with(func(string) bool { return false }); err != nil {
					return nil, err
				}
			}
		}
		memo.Write(h, []byte(name))
		memo.Write(h, data)
	}
	routes := s.routes()
	for _, file := range sorted(s.pinned()) {
		memo.Write(h, routes[file])
		for _, d := range s.suites[file].definitions {
			memo.Write(h, []byte(d.name))
			memo.Write(h, []byte(d.namespace))
		}
	}
	common := h.Sum(nil)
	files = make(map[string]memo.Sum, len(s.suites))
	for file, f := range s.suites {
		files[file] = memo.SumOf(common, routes[file], f.sum[:])
	}
	return files, nil
}

// routes gives for each file of suites which kustomizations name it, and how often.
func (s *scan) routes() map[string][]byte {
	routes := make(map[string][]byte, len(s.suites))
	for _, dir := range sorted(s.parsed) {
		for _, file := range s.parsed[dir].resources {
			routes[file] = append(append(routes[file], dir...), 0)
		}
	}
	return routes
}
