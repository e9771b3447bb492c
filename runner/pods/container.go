package pods

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

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
		Env:             environment(attempt.Environment.Spec.Env, spec.Env),
		EnvFrom:         slices.Clone(spec.EnvFrom),
		Resources:       resources(spec.Resources, attempt.Environment.Spec.DefaultResources),
		SecurityContext: restricted(),
	}
}

func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
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
// with sense. There is no limit by default: a throttled test is a flaky one.
func resources(own, given corev1.ResourceRequirements) corev1.ResourceRequirements {
	for _, r := range []corev1.ResourceRequirements{own, given} {
		if len(r.Limits) > 0 || len(r.Requests) > 0 || len(r.Claims) > 0 {
			return *r.DeepCopy()
		}
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: resource.MustParse("128Mi"),
	}}
}
