package render

//lint:file-ignore SA1019 fields that kustomize has given up are still in use, so they must be followed

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio/filters"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/catalog"
)

// A ConfigMap that a generator makes is values, not an object: a suite can only take variables
// from it, so the values take the place of the reference. Then they are part of the suite's
// definition, in its digest, in diffs and in what is shown, and a run needs no object in the
// namespace of the environment that would have to be made, owned, kept apart from that of the
// next commit, and removed.

// maxGeneratedBytes is what one suite may get from generated ConfigMaps; it bounds what a large
// ConfigMap and many suites come to.
const maxGeneratedBytes = 64 << 10

// generated are the ConfigMaps that a rendering came to, by namespace and name.
type generated map[[2]string]corev1.ConfigMap

// takeGenerated gives the ConfigMaps among what came out.
func takeGenerated(result resmap.ResMap) (generated, error) {
	g := generated{}
	for _, r := range result.Resources() {
		if !isConfigMap(r) {
			continue
		}
		data, err := r.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("encoding the ConfigMap %q: %w", r.GetName(), err)
		}
		var c corev1.ConfigMap
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fault.New(fault.InvalidCatalog, fault.Place{}, "correct the patch that made it so", "the generated ConfigMap %q is none: %s", r.GetName(), readable(err))
		}
		g[[2]string{c.Namespace, c.Name}] = c
	}
	return g, nil
}

// isConfigMap tells generated ConfigMaps from suites, also from those that a patch calls
// ConfigMaps: no file defines them.
func isConfigMap(r *resource.Resource) bool {
	return r.GetKind() == "ConfigMap" && r.GetAnnotations()[sourceAnnotation] == ""
}

// encode gives a suite as JSON that is read as YAML again, with the values that it refers to.
func (g generated) encode(r *resource.Resource) ([]byte, error) {
	if len(g) == 0 {
		data, err := r.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("encoding suite %q: %w", r.GetName(), err)
		}
		return catalog.JSON(json.RawMessage(data))
	}
	suite, err := r.Map()
	if err != nil {
		return nil, fmt.Errorf("decoding suite %q: %w", r.GetName(), err)
	}
	in := inlining{generated: g, suite: r.GetName(), namespace: r.GetNamespace()}
	if err := in.spec(suite["spec"]); err != nil {
		return nil, err
	}
	return catalog.JSON(suite)
}

// unlocal takes the annotation away by which kustomize drops what a generator made, since the
// names of suites' references are changed for it all the same. Secrets keep it: they are not
// taken from the repository.
func unlocal(t *types.Kustomization) {
	const local = filters.LocalConfigAnnotation
	for i := range t.ConfigMapGenerator {
		if options := t.ConfigMapGenerator[i].Options; options != nil {
			delete(options.Annotations, local)
		}
	}
	if t.GeneratorOptions == nil || t.GeneratorOptions.Annotations[local] == "" {
		return
	}
	value := t.GeneratorOptions.Annotations[local]
	delete(t.GeneratorOptions.Annotations, local)
	for i := range t.SecretGenerator {
		options := &t.SecretGenerator[i].Options
		if *options == nil {
			*options = &types.GeneratorOptions{}
		}
		own := map[string]string{local: value}
		maps.Copy(own, (*options).Annotations)
		(*options).Annotations = own
	}
}

// inlining gives a suite the values of the generated ConfigMaps that it refers to. References to
// other ConfigMaps are left, and so is whatever is not as it should be, for the catalog to say.
type inlining struct {
	generated        generated
	suite, namespace string
	// bytes of values so far.
	bytes int
}

// spec changes the spec of the suite. Its variables come to what a container would get: later
// sources of envFrom win over earlier ones, and env over all.
func (in *inlining) spec(of any) error {
	spec, _ := of.(map[string]any)
	sources, _ := spec["envFrom"].([]any)
	own, _ := spec["env"].([]any)
	rest, values, err := in.takeFrom(sources)
	if err != nil {
		return err
	}
	resolved, err := in.resolve(own)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		spec["envFrom"] = rest
	} else if len(sources) > 0 {
		delete(spec, "envFrom")
	}
	if len(own) > 0 || len(values) > 0 {
		spec["env"] = append(entries(values, resolved), resolved...)
	}
	return nil
}

// entries gives the values as entries of env, but for those that own has.
func entries(values map[string]string, own []any) []any {
	for _, e := range own {
		entry, _ := e.(map[string]any)
		name, _ := entry["name"].(string)
		delete(values, name)
	}
	env := make([]any, 0, len(values)+len(own))
	for _, name := range sorted(values) {
		env = append(env, map[string]any{"name": name, "value": values[name]})
	}
	return env
}

// find gives a generated ConfigMap that a reference means.
func (in *inlining) find(reference any) (corev1.ConfigMap, bool) {
	fields, _ := reference.(map[string]any)
	name, _ := fields["name"].(string)
	c, ok := in.generated[[2]string{in.namespace, name}]
	return c, ok
}

// value gives a value as one of env, in which $(NAME) would be replaced, and counts it.
func (in *inlining) value(data string) (string, error) {
	if in.bytes += len(data); in.bytes > maxGeneratedBytes {
		return "", fault.New(fault.LimitExceeded, fault.Place{}, "give large data to the suite as a file, with content.paths",
			"suite %q gets more than %d bytes of variables from generated ConfigMaps", in.suite, maxGeneratedBytes)
	}
	return strings.ReplaceAll(data, "$", "$$"), nil
}

// takeFrom gives the sources of envFrom that are not generated, and the variables of those that are.
func (in *inlining) takeFrom(sources []any) (rest []any, values map[string]string, err error) {
	values = map[string]string{}
	for _, source := range sources {
		fields, _ := source.(map[string]any)
		c, ok := in.find(fields["configMapRef"])
		if !ok || fields["secretRef"] != nil {
			rest = append(rest, source)
			continue
		}
		prefix, _ := fields["prefix"].(string)
		for _, key := range sorted(c.Data) {
			if values[prefix+key], err = in.value(c.Data[key]); err != nil {
				return nil, nil, err
			}
		}
	}
	return rest, values, nil
}

// resolve gives the variables of env with the values of the keys that they refer to.
func (in *inlining) resolve(env []any) ([]any, error) {
	out := make([]any, 0, len(env))
	for i, e := range env {
		entry, _ := e.(map[string]any)
		from, _ := entry["valueFrom"].(map[string]any)
		reference, _ := from["configMapKeyRef"].(map[string]any)
		c, ok := in.find(reference)
		if !ok || len(from) > 1 || entry["value"] != nil {
			out = append(out, e)
			continue
		}
		key, _ := reference["key"].(string)
		data, found := c.Data[key]
		if !found {
			if optional, _ := reference["optional"].(bool); optional {
				continue
			}
			return nil, in.noKey(i, key, c)
		}
		value, err := in.value(data)
		if err != nil {
			return nil, err
		}
		entry = maps.Clone(entry)
		delete(entry, "valueFrom")
		entry["value"] = value
		out = append(out, entry)
	}
	return out, nil
}

func (in *inlining) noKey(i int, key string, c corev1.ConfigMap) error {
	place := fault.Place{Field: fmt.Sprintf("spec.env[%d].valueFrom.configMapKeyRef.key", i)}
	if _, binary := c.BinaryData[key]; binary {
		return fault.New(fault.InvalidCatalog, place, "give it to the suite as a file, with content.paths", "suite %q: %q of the generated ConfigMap %q is not text", in.suite, short(key), c.Name)
	}
	return fault.New(fault.InvalidCatalog, place, "name one of its keys, or set optional", "suite %q: the generated ConfigMap %q has no key %q, only %s",
		in.suite, c.Name, short(key), short(strings.Join(slices.Sorted(maps.Keys(c.Data)), ", ")))
}
