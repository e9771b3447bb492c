package render

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
)

// turns admits as many at a time as there are processors, but two at least: one that was given
// up must not keep all others waiting. What kustomize keeps in variables of the process is the
// schema, see [loadSchema], and nothing changes it.
var turns = make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))

type built struct {
	objects []catalog.Object
	err     error
}

// build runs kustomize on the parts of what was scanned, one after the other. It waits for its
// turn without a limit but the context's; limits.Time counts from then on.
func build(ctx context.Context, s *scan, overlay string, parts []part) ([]catalog.Object, error) {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, s.limits.Time)
	defer cancel()
	done := make(chan built, 1)
	go func() {
		defer func() { <-turns }()
		var b built
		for _, p := range parts {
			objects, err := kustomize(limited, s, overlay, p)
			b.objects = append(b.objects, objects...)
			if b.err = errors.Join(err, limited.Err()); b.err != nil {
				break
			}
		}
		done <- b
	}()
	select {
	case b := <-done:
		if limited.Err() == nil || b.err == nil {
			return b.objects, b.err
		}
	case <-limited.Done():
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, tookTooLong(s.overlayPlace(overlay), overlay, s.limits)
}

// kustomize gives the objects that the overlay comes to with the suites of the part.
func kustomize(ctx context.Context, s *scan, overlay string, p part) (objects []catalog.Object, err error) {
	defer func() {
		if r := recover(); r != nil { // kustomize panics on some input
			err = s.refusal(overlay, fmt.Errorf("%v", r))
		}
	}()
	if err := loadSchema(); err != nil {
		return nil, err
	}
	files, err := s.filesOf(p)
	if err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionNone
	// Everything there is was scanned, and a shared patch may lie beside the overlays.
	options.LoadRestrictions = types.LoadRestrictionsNone
	options.PluginConfig = types.DisabledPluginConfig()
	result, err := krusty.MakeKustomizer(options).Run(newMemory(ctx, files), "/"+kustomizationFolder+"/"+flat(overlay))
	if err != nil {
		return nil, s.refusal(overlay, err)
	}
	return s.objects(result, p)
}

// objects gives what came out, each with the file that defines it, but for what only had to be
// there.
func (s *scan) objects(result resmap.ResMap, p part) ([]catalog.Object, error) {
	if n := result.Size(); n > s.limits.Suites {
		return nil, fault.New(fault.LimitExceeded, fault.Place{}, "split the catalog", "%d suites are more than %d", n, s.limits.Suites)
	}
	generated, err := takeGenerated(result)
	if err != nil {
		return nil, err
	}
	var objects []catalog.Object
	for _, r := range result.Resources() {
		if isConfigMap(r) {
			continue
		}
		file, err := s.takeSource(r)
		if err != nil {
			return nil, err
		}
		if only, known := p[file]; known && !only {
			continue
		}
		data, err := generated.encode(r)
		if err != nil {
			return nil, fault.At(err, fault.Place{File: file})
		}
		objects = append(objects, catalog.Object{Name: r.GetName(), YAML: data, File: file})
	}
	return objects, nil
}

// takeSource takes the annotation away that scan put on every suite, and gives its file when it
// was really read: a patch can write anything there, or remove it.
func (s *scan) takeSource(r *resource.Resource) (string, error) {
	annotations := r.GetAnnotations()
	file := annotations[sourceAnnotation]
	delete(annotations, sourceAnnotation)
	if err := r.SetAnnotations(annotations); err != nil {
		return "", fmt.Errorf("removing the source of %q: %w", r.GetName(), err)
	}
	if !s.read[file] {
		file = ""
	}
	return file, nil
}

// refusal turns an error of kustomize into a fault. Suites of one name are the commonest
// cause, and we know better than kustomize where they are.
func (s *scan) refusal(overlay string, err error) error {
	if twice := s.namesakes(); len(twice) > 0 {
		return errors.Join(twice...)
	}
	return fault.New(fault.InvalidCatalog, s.overlayPlace(overlay), "correct what it names, in this kustomization or one that it includes", "kustomize: %s", readable(err))
}

// overlayPlace is the kustomization of the overlay.
func (s *scan) overlayPlace(overlay string) fault.Place {
	if k := s.parsed[overlay]; k != nil {
		return fault.Place{File: k.file}
	}
	return fault.Place{File: overlay}
}

// namesakes finds suites that are defined twice.
func (s *scan) namesakes() []error {
	first := map[string]definition{}
	var twice []error
	for _, file := range sorted(s.suites) {
		if s.suites[file] == nil {
			continue
		}
		for _, d := range s.suites[file].definitions {
			other, known := first[d.name]
			if !known {
				first[d.name] = d
				continue
			}
			place := fault.Place{File: d.file, Line: d.line, Field: "metadata.name"}
			twice = append(twice, fault.New(fault.InvalidCatalog, place, "rename one of them", "suite %q is defined twice, also in %s:%d", d.name, other.file, other.line))
		}
	}
	return twice
}

// readable gives an error of kustomize as one short line with the paths of the repository.
// kustomize tells the whole way to the cause, with everything it tried; the last step is enough.
func readable(err error) string {
	text := inRepository(strings.Join(strings.Fields(err.Error()), " "))
	text = text[max(strings.LastIndex(text, "recursed accumulation of path"), 0):]
	const most = 500
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
