package render

//lint:file-ignore SA1019 fields that kustomize has given up are still in use, so they must be followed

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render/memo"
)

// follow reads every file that the kustomization names, notes the kustomizations it includes,
// and rewrites each reference. Errors end the scan; faults are gathered.
func (s *scan) follow(dir string, k *kustomization) error {
	t := &k.types
	for _, f := range []func(string, *kustomization) error{s.resources, s.components, s.patches, s.replacements, s.configurations} {
		if err := f(dir, k); err != nil {
			return err
		}
	}
	unlocal(t)
	modernize(t)
	for i := range t.ConfigMapGenerator {
		if err := s.generator(dir, k, fmt.Sprintf("configMapGenerator[%d]", i), &t.ConfigMapGenerator[i].KvPairSources); err != nil {
			return err
		}
	}
	for i := range t.SecretGenerator {
		if err := s.generator(dir, k, fmt.Sprintf("secretGenerator[%d]", i), &t.SecretGenerator[i].KvPairSources); err != nil {
			return err
		}
	}
	return nil
}

// modernize writes labels as kustomize wants them now, to the same effect: of the old way it
// complains on standard error, with each rendering.
func modernize(t *types.Kustomization) {
	if len(t.CommonLabels) > 0 {
		t.Labels = append(t.Labels, types.Label{Pairs: t.CommonLabels, IncludeSelectors: true})
		t.CommonLabels = nil
	}
}

// resources are files of suites, and folders with a kustomization. bases are old for the latter.
func (s *scan) resources(dir string, k *kustomization) error {
	t := &k.types
	for i := range t.Resources {
		if err := s.resource(dir, k, fmt.Sprintf("resources[%d]", i), &t.Resources[i]); err != nil {
			return err
		}
	}
	for i := range t.Bases {
		if err := s.resource(dir, k, fmt.Sprintf("bases[%d]", i), &t.Bases[i]); err != nil {
			return err
		}
	}
	t.Resources, t.Bases = append(t.Resources, t.Bases...), nil
	return nil
}

func (s *scan) resource(dir string, k *kustomization, field string, reference *string) error {
	target, mode, err := s.resolve(dir, k, field, *reference)
	if err != nil || target == "" {
		return err
	}
	if mode.IsDir() {
		*reference = toKustomization(target)
		k.children = append(k.children, child{dir: target, field: field})
		return nil
	}
	*reference = toFile(repositoryFolder, target)
	k.resources = append(k.resources, target)
	return s.suiteFile(target, k.place(field))
}

// suiteFile parses a file of suites, once; nil in suites means that it is broken.
func (s *scan) suiteFile(file string, from fault.Place) error {
	if _, known := s.suites[file]; known {
		return nil
	}
	s.suites[file] = nil
	data, err := s.load(file, from)
	if err != nil || data == nil {
		return err
	}
	id := memo.SumOf([]byte(file), data)
	if f, ok := s.memo.Get(id); ok {
		s.suites[file] = f.(*suiteFile)
	} else if f, err := parseSuites(file, data); err != nil {
		return s.gather(err)
	} else {
		f.sum = id
		s.memo.Add(id, f, int64(len(f.canonical)+100*len(f.definitions)))
		s.suites[file] = f
	}
	s.files[path.Join(repositoryFolder, file)] = s.suites[file].canonical
	return nil
}

// parseSuites parses a file of suites, and notes in each of them where it comes from.
func parseSuites(file string, data []byte) (*suiteFile, error) {
	docs, err := catalog.Documents(file, data)
	if err != nil {
		return nil, err
	}
	if _, err := catalog.Parse(file, docs); err != nil {
		return nil, err
	}
	f := &suiteFile{}
	for _, doc := range docs {
		// Parse made sure of the types.
		object, _ := doc.Value.(map[string]any)
		metadata, _ := object["metadata"].(map[string]any)
		name, _ := metadata["name"].(string)
		namespace, _ := metadata["namespace"].(string)
		f.definitions = append(f.definitions, definition{name: name, namespace: namespace, file: file, line: doc.Line("metadata.name")})
		annotations, _ := metadata["annotations"].(map[string]any)
		f.inner = f.inner || slices.ContainsFunc(sorted(annotations), mentionsInner)
		annotations = maps.Clone(annotations)
		if annotations == nil {
			annotations = map[string]any{}
		}
		annotations[sourceAnnotation] = file
		metadata["annotations"] = annotations
	}
	f.canonical, err = canonical(docs)
	return f, err
}

func (s *scan) components(dir string, k *kustomization) error {
	for i, reference := range k.types.Components {
		field := fmt.Sprintf("components[%d]", i)
		target, mode, err := s.resolve(dir, k, field, reference)
		if err != nil {
			return err
		}
		switch {
		case target == "":
		case !mode.IsDir():
			s.errs = append(s.errs, fault.New(fault.InvalidCatalog, k.place(field), "name its folder", "%q is a file, a component is a folder with a kustomization", reference))
		default:
			k.types.Components[i] = toKustomization(target)
			k.children = append(k.children, child{dir: target, field: field, component: true})
		}
	}
	return nil
}

func (s *scan) patches(dir string, k *kustomization) error {
	t := &k.types
	for i := range t.Patches {
		if err := s.patch(dir, k, fmt.Sprintf("patches[%d]", i), &t.Patches[i]); err != nil {
			return err
		}
	}
	for i := range t.PatchesJson6902 {
		if err := s.patch(dir, k, fmt.Sprintf("patchesJson6902[%d]", i), &t.PatchesJson6902[i]); err != nil {
			return err
		}
	}
	var strategic []types.Patch
	for i, entry := range t.PatchesStrategicMerge {
		field := fmt.Sprintf("patchesStrategicMerge[%d]", i)
		// Each entry is a path or the patch itself, which is an object and so has a colon
		// before white space, or a brace.
		p := types.Patch{Path: string(entry)}
		if text := strings.TrimSpace(string(entry)); strings.HasPrefix(text, "{") || strings.Contains(text, ": ") || strings.Contains(text, ":\n") {
			p = types.Patch{Patch: string(entry)}
		}
		if err := s.patch(dir, k, field, &p); err != nil {
			return err
		}
		strategic = append(strategic, p)
	}
	// They come before other patches, and by this name kustomize would grumble on standard error.
	t.Patches, t.PatchesStrategicMerge = append(strategic, t.Patches...), nil
	return nil
}

func (s *scan) patch(dir string, k *kustomization, field string, p *types.Patch) error {
	k.weight++
	check := func(docs []catalog.Document, from fault.Place) error {
		s.lookAtPatch(p, docs)
		return refuseCopies(docs, from)
	}
	if p.Path != "" {
		return s.yamlFile(dir, k, pathField(field), &p.Path, check)
	}
	docs, err := catalog.Documents(k.file, []byte(p.Patch))
	if err != nil { // its lines are those of the text, not of the file
		inner := fault.All(err)[0]
		return s.gather(fault.New(inner.Reason, k.place(field), inner.Remedy, "the patch: %s", inner.Message))
	}
	if err := check(docs, k.place(field)); err != nil {
		return s.gather(err)
	}
	text, err := canonical(docs)
	p.Patch = string(text)
	return err
}

// pathField is the field that holds the path of an entry.
func pathField(field string) string {
	if strings.HasPrefix(field, "patchesStrategicMerge") {
		return field
	}
	return field + ".path"
}

// refuseCopies refuses the operation copy of JSON 6902, which can double a value with each use.
func refuseCopies(docs []catalog.Document, from fault.Place) error {
	for _, doc := range docs {
		operations, _ := doc.Value.([]any)
		for _, operation := range operations {
			if fields, _ := operation.(map[string]any); fields["op"] == "copy" {
				return fault.New(fault.InvalidCatalog, from, "use replacements, or add the value", "the operation copy is not supported in patches")
			}
		}
	}
	return nil
}

func (s *scan) replacements(dir string, k *kustomization) error {
	for i := range k.types.Replacements {
		r := &k.types.Replacements[i]
		if r.Path != "" {
			if err := s.yamlFile(dir, k, fmt.Sprintf("replacements[%d].path", i), &r.Path, k.weighReplacements); err != nil {
				return err
			}
			continue
		}
		value, err := catalog.JSON(r.Replacement)
		if err != nil {
			return fmt.Errorf("encoding a replacement of %q: %w", k.file, err)
		}
		docs, err := catalog.Documents(k.file, value)
		if err != nil {
			return s.gather(err)
		}
		if err := k.weighReplacements(docs, k.place(fmt.Sprintf("replacements[%d]", i))); err != nil {
			return s.gather(err)
		}
	}
	return nil
}

// weighReplacements counts the fields that are written, and those that can grow by it.
func (k *kustomization) weighReplacements(docs []catalog.Document, _ fault.Place) error {
	for _, doc := range docs {
		list, isList := doc.Value.([]any)
		if !isList {
			list = []any{doc.Value}
		}
		for _, item := range list {
			replacement, _ := item.(map[string]any)
			targets, _ := replacement["targets"].([]any)
			for _, t := range targets {
				target, _ := t.(map[string]any)
				paths, _ := target["fieldPaths"].([]any)
				k.weight += 1 + len(paths)
				if options, _ := target["options"].(map[string]any); options["delimiter"] != nil {
					k.delimited += 1 + len(paths)
				}
			}
		}
	}
	return nil
}

func (s *scan) configurations(dir string, k *kustomization) error {
	for i := range k.types.Configurations {
		if err := s.yamlFile(dir, k, fmt.Sprintf("configurations[%d]", i), &k.types.Configurations[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// generator reads the files of a generator, whose content may be anything.
func (s *scan) generator(dir string, k *kustomization, field string, sources *types.KvPairSources) error {
	k.generated++
	if sources.EnvSource != "" {
		sources.EnvSources = append(sources.EnvSources, sources.EnvSource)
		sources.EnvSource = ""
	}
	for i := range sources.EnvSources {
		if err := s.opaqueFile(dir, k, fmt.Sprintf("%s.envs[%d]", field, i), &sources.EnvSources[i]); err != nil {
			return err
		}
	}
	for i, source := range sources.FileSources {
		item := fmt.Sprintf("%s.files[%d]", field, i)
		key, reference, found := strings.Cut(source, "=")
		if !found {
			key, reference = path.Base(source), source
		}
		if key == "" || reference == "" || strings.Contains(reference, "=") {
			s.errs = append(s.errs, fault.New(fault.InvalidCatalog, k.place(item), "write path, or key=path", "%q names no file", source))
			continue
		}
		if err := s.opaqueFile(dir, k, item, &reference); err != nil {
			return err
		}
		sources.FileSources[i] = key + "=" + reference
	}
	return nil
}

// yamlFile reads a file of YAML, lets check look at it, and keeps it anew for kustomize.
func (s *scan) yamlFile(dir string, k *kustomization, field string, reference *string, check func([]catalog.Document, fault.Place) error) error {
	target, data, err := s.file(dir, k, field, *reference)
	if err != nil || data == nil {
		return err
	}
	docs, err := catalog.Documents(target, data)
	if err == nil && check != nil {
		err = check(docs, fault.Place{File: target})
	}
	if err != nil {
		return s.gather(err)
	}
	*reference = toFile(patchFolder, target)
	s.files[path.Join(patchFolder, target)], err = canonical(docs)
	return err
}

func (s *scan) opaqueFile(dir string, k *kustomization, field string, reference *string) error {
	target, data, err := s.file(dir, k, field, *reference)
	if err != nil || data == nil {
		return err
	}
	s.inputs[target] = true
	*reference = toFile(dataFolder, target)
	s.files[path.Join(dataFolder, target)] = data
	return nil
}

// file resolves and reads a file, and adds what it weighs; nil data means gathered faults.
func (s *scan) file(dir string, k *kustomization, field, reference string) (target string, data []byte, err error) {
	target, _, err = s.resolve(dir, k, field, reference)
	if err != nil || target == "" {
		return "", nil, err
	}
	data, err = s.load(target, k.place(field))
	k.weight += len(data) / 1024
	return target, data, err
}

// resolve gives the path from the root of the tree that a reference means, and whether it is
// a file or a folder. An empty target means that a fault was gathered.
func (s *scan) resolve(dir string, k *kustomization, field, reference string) (target string, mode fs.FileMode, err error) {
	certain, likely := remote(reference)
	target, inside := within(dir, reference)
	if inside && !certain {
		mode, err := s.loader.kind(target)
		if err == nil {
			return target, mode, nil
		}
		if !likely || !errors.Is(err, fs.ErrNotExist) {
			return "", 0, s.gather(placed(err, reference, k.place(field)))
		}
	}
	what := "names something outside the repository, which is not fetched"
	if !certain && !likely {
		what = "leaves the repository"
	}
	return "", 0, s.gather(fault.New(fault.RemoteReferenceRefused, k.place(field),
		"commit what is needed below the folder of the tests and name it by a relative path", "%q %s", short(reference), what))
}
