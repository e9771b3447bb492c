package pods

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// The variables by which the controller speaks to assay-exec. All of them are always set, also when they are empty:
// a variable of the pod wins over one of the same name from a ConfigMap or Secret as a whole.
const (
	gatewayURLVariable = "ASSAY_GATEWAY_URL"
	gatewayCAVariable  = "ASSAY_GATEWAY_CA"
	tokenFileVariable  = "ASSAY_TOKEN_FILE"
	// secretsVariable says what secretNamesVariable lists: the secret variables ("named"), or those that are none.
	secretsVariable     = "ASSAY_SECRETS"
	secretNamesVariable = "ASSAY_SECRET_NAMES"
	// handedVariable lists the variables that are handed over under names with handedPrefix.
	handedVariable = "ASSAY_HANDED"
	handedPrefix   = "ASSAY_SUITE_"
)

// runtimeVariables steer a Go program before its first line, and so assay-exec, which runs before the suite's timeout and
// outside its accounts: with GOMAXPROCS at 999999 it takes 20 GB. See the documentation of Go's package runtime,
// "Environment Variables", and of its coverage. What a suite says of them is for its own command.
var runtimeVariables = []string{"GOCOVERDIR", "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GORACE", "GOTRACEBACK"}

// handOver keeps these variables from assay-exec, and gives their values to it under other names, from wherever they come:
// what an image sets is lost. The order is that of Kubernetes: the last source as a whole wins, and a variable over all.
func handOver(c *corev1.Container) {
	own := slices.Clone(c.Env)
	for _, name := range runtimeVariables {
		for _, from := range c.EnvFrom {
			if key, ok := strings.CutPrefix(name, from.Prefix); ok && key != "" {
				c.Env = append(c.Env, corev1.EnvVar{Name: handedPrefix + name, ValueFrom: keyOf(from, key)})
			}
		}
		if i := slices.IndexFunc(own, func(e corev1.EnvVar) bool { return e.Name == name }); i >= 0 {
			c.Env = append(c.Env, corev1.EnvVar{Name: handedPrefix + name, Value: own[i].Value, ValueFrom: own[i].ValueFrom.DeepCopy()})
		}
		c.Env = append(c.Env, corev1.EnvVar{Name: name})
	}
	c.Env = append(c.Env, corev1.EnvVar{Name: handedVariable, Value: strings.Join(runtimeVariables, "\n")})
}

// keyOf reads one key of a source, where it has it.
func keyOf(from corev1.EnvFromSource, key string) *corev1.EnvVarSource {
	if from.SecretRef != nil {
		return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: from.SecretRef.LocalObjectReference, Key: key, Optional: ptr.To(true)}}
	}
	return &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
		LocalObjectReference: from.ConfigMapRef.LocalObjectReference, Key: key, Optional: ptr.To(true)}}
}
