package pods

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
)

// container gives the container of a suite as it runs unwrapped.
func container(attempt runner.Attempt) corev1.Container {
	spec := attempt.Suite.Spec
	return corev1.Container{
		Name:            containerName,
		Image:           spec.Image,
		ImagePullPolicy: spec.ImagePullPolicy,
		Command:         slices.Clone(spec.Command),
		Args:            slices.Clone(spec.Args),
		Env:             environment(given(attempt), spec.Env),
		EnvFrom:         slices.Clone(spec.EnvFrom),
		Resources:       resources(spec.Resources, attempt.Environment),
		SecurityContext: restricted(),
	}
}

func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// given are the variables of the environment.
func given(attempt runner.Attempt) []corev1.EnvVar {
	return catalog.VariablesOf(attempt.Environment, attempt.Run.Spec.Cause.Type)
}

// environment puts the environment's variables before the suite's, so that those can refer to these. A name that both
// have is the suite's. Names with our prefix are dropped: nobody speaks to assay-exec but us.
func environment(given, own []corev1.EnvVar) []corev1.EnvVar {
	var env []corev1.EnvVar
	for _, e := range given {
		if !slices.ContainsFunc(own, func(o corev1.EnvVar) bool { return o.Name == e.Name }) {
			env = append(env, e)
		}
	}
	env = append(env, own...)
	return slices.DeleteFunc(env, func(e corev1.EnvVar) bool { return strings.HasPrefix(e.Name, reservedPrefix) })
}

// resources are the suite's, else the environment's, else little enough to start anywhere and enough to be scheduled
// with sense. Each has a limit of memory, and of what the environment bounds; there is none of cpu by default: a throttled
// test is a flaky one.
func resources(own corev1.ResourceRequirements, env *v1alpha1.TestEnvironment) corev1.ResourceRequirements {
	chosen := corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: resource.MustParse("128Mi"),
	}}
	for _, r := range []corev1.ResourceRequirements{env.Spec.DefaultResources, own} {
		if len(r.Limits) > 0 || len(r.Requests) > 0 || len(r.Claims) > 0 {
			chosen = *r.DeepCopy()
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		limit, bounded := env.Spec.Limits.Resources[name]
		if _, there := chosen.Limits[name]; there || !bounded && name != corev1.ResourceMemory {
			continue
		}
		asked := chosen.Requests[name]
		switch {
		case !bounded:
			limit = resource.MustParse(v1alpha1.DefaultMemoryLimit)
			if asked.Cmp(limit) > 0 { // which nobody forbids
				limit = asked
			}
		case asked.Cmp(limit) > 0: // a default, as the suite's own is refused
			chosen.Requests[name] = limit
		}
		if chosen.Limits == nil {
			chosen.Limits = corev1.ResourceList{}
		}
		chosen.Limits[name] = limit
	}
	return chosen
}
