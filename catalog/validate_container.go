package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// validateEnv checks env and envFrom as the API server checks those of a pod.
func validateEnv(spec *v1alpha1.TestSuiteSpec, p *problems) {
	p.count("spec.env", len(spec.Env), 256)
	first := map[string]int{}
	for i, e := range spec.Env {
		field := fmt.Sprintf("spec.env[%d]", i)
		switch {
		case len(validation.IsRelaxedEnvVarName(e.Name)) > 0:
			p.add(field+".name", "use printable characters but no =", "%s is no name of a variable", shown(e.Name))
		case strings.HasPrefix(e.Name, "ASSAY_"):
			p.add(field+".name", "rename it", "%s: names that begin with ASSAY_ are reserved", shown(e.Name))
		}
		if j, twice := first[e.Name]; twice {
			p.add(field+".name", "remove one", "%s is given twice, first as spec.env[%d]", shown(e.Name), j)
		} else {
			first[e.Name] = i
		}
		validateEnvSource(field, e, p)
	}
	p.count("spec.envFrom", len(spec.EnvFrom), 32)
	for i, e := range spec.EnvFrom {
		field := fmt.Sprintf("spec.envFrom[%d]", i)
		name := ""
		switch {
		case (e.ConfigMapRef == nil) == (e.SecretRef == nil):
			p.add(field, "name one", "it takes either configMapRef or secretRef")
			continue
		case e.ConfigMapRef != nil:
			field, name = field+".configMapRef.name", e.ConfigMapRef.Name
		default:
			field, name = field+".secretRef.name", e.SecretRef.Name
		}
		p.objectName(field, name)
		if e.Prefix != "" && len(validation.IsRelaxedEnvVarName(e.Prefix)) > 0 || strings.HasPrefix(e.Prefix, "ASSAY_") {
			p.add(fmt.Sprintf("spec.envFrom[%d].prefix", i), "use another", "%s is no prefix of variables that a suite may have", shown(e.Prefix))
		}
	}
}

func validateEnvSource(field string, e corev1.EnvVar, p *problems) {
	from := e.ValueFrom
	if from == nil {
		return
	}
	if e.Value != "" {
		p.add(field, "keep one of them", "it has both value and valueFrom")
	}
	field += ".valueFrom"
	sources := 0
	for _, set := range []bool{from.ConfigMapKeyRef != nil, from.SecretKeyRef != nil, from.FieldRef != nil, from.ResourceFieldRef != nil, from.FileKeyRef != nil} {
		if set {
			sources++
		}
	}
	if sources != 1 {
		p.add(field, "name one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef", "it takes exactly one source, not %d", sources)
		return
	}
	switch {
	case from.FileKeyRef != nil:
		p.add(field+".fileKeyRef", "use a ConfigMap or a Secret", "a suite has no volumes to read from")
	case from.ConfigMapKeyRef != nil:
		p.objectName(field+".configMapKeyRef.name", from.ConfigMapKeyRef.Name)
		p.objectKey(field+".configMapKeyRef.key", from.ConfigMapKeyRef.Key)
	case from.SecretKeyRef != nil:
		p.objectName(field+".secretKeyRef.name", from.SecretKeyRef.Name)
		p.objectKey(field+".secretKeyRef.key", from.SecretKeyRef.Key)
	case from.FieldRef != nil:
		p.notEmpty(field+".fieldRef.fieldPath", from.FieldRef.FieldPath)
	default:
		p.notEmpty(field+".resourceFieldRef.resource", from.ResourceFieldRef.Resource)
	}
}

func (p *problems) objectName(field, name string) {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		p.add(field, "name an object of the environment's namespace", "%s is no name of an object", shown(name))
	}
}

func (p *problems) objectKey(field, key string) {
	if len(validation.IsConfigMapKey(key)) > 0 {
		p.add(field, "name a key of the object", "%s is no key", shown(key))
	}
}

// validateResources checks what the API server would refuse in a pod.
func validateResources(r *corev1.ResourceRequirements, p *problems) {
	if len(r.Claims) > 0 {
		p.add("spec.resources.claims", "remove it", "a suite cannot claim devices")
	}
	validateResourceList("spec.resources.limits", r.Limits, p)
	validateResourceList("spec.resources.requests", r.Requests, p)
	for _, name := range slices.Sorted(maps.Keys(r.Requests)) {
		request := r.Requests[name]
		if limit, ok := r.Limits[name]; ok && request.Cmp(limit) > 0 {
			p.add(join("spec.resources.requests", string(name)), "ask for no more than the limit", "%q is more than the limit of %q", request.String(), limit.String())
		}
	}
}

func validateResourceList(field string, list corev1.ResourceList, p *problems) {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if len(validation.IsQualifiedName(string(name))) > 0 {
			p.add(join(field, string(name)), "write cpu, memory or ephemeral-storage", "%s is no resource", shown(string(name)))
		}
		if q := list[name]; q.Sign() < 0 {
			p.add(join(field, string(name)), "write a quantity such as 500m or 256Mi", "%q is negative", q.String())
		}
	}
}
