package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	corev1 "k8s.io/api/core/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// CheckPolicy says what of the suite the environment forbids: its image, its timeout, its
// resources, the Secrets it reads. What no environment allows (root, reserved variables, devices) is
// refused with the catalog already, and the service account is not the suite's to name. All violations are joined, as faults PolicyViolation that name the suite's file,
// the field and the rule; nil when there is none.
func CheckPolicy(suite Suite, environment *v1alpha1.TestEnvironment, cause v1alpha1.CauseType) error {
	c := policyCheck{suite: suite, environment: environment.Name}
	c.image(environment.Spec.Images)
	if t, limit := suite.Spec.Timeout, environment.MaxTimeout(); t != nil && t.Duration > limit {
		c.forbid("spec.timeout", fmt.Sprintf("ask for at most %s", limit), "%s is longer than limits.timeout allows", t.Duration)
	}
	c.resources("spec.resources.limits", suite.Spec.Resources.Limits, environment.Spec.Limits.Resources)
	c.resources("spec.resources.requests", suite.Spec.Resources.Requests, environment.Spec.Limits.Resources)
	if cause == v1alpha1.CausePullRequest {
		c.secrets("pullRequestSecrets", environment.Spec.PullRequestSecrets)
	} else {
		c.secrets("secrets", environment.Spec.Secrets)
	}
	return errors.Join(c.found...)
}

type policyCheck struct {
	suite       Suite
	environment string
	found       []error
}

// image compares the image as it is written: * stays between slashes, ** crosses them.
func (c *policyCheck) image(globs []string) {
	if len(globs) == 0 || matchesAny(globs, c.suite.Spec.Image) {
		return
	}
	c.forbid("spec.image", "use an image that matches "+listed(globs), "the image %q matches none of images", c.suite.Spec.Image)
}

// matchesAny says whether a glob matches; one that is broken admits nothing.
func matchesAny(globs []string, text string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		ok, err := doublestar.Match(glob, text)
		return err == nil && ok
	})
}

// secrets compares the names of the Secrets that become variables with the globs of the rule.
func (c *policyCheck) secrets(rule string, globs []string) {
	check := func(field, name string) {
		if matchesAny(globs, name) {
			return
		}
		remedy := fmt.Sprintf("have the platform team add %q to spec.%s of the TestEnvironment", name, rule)
		if len(globs) > 0 {
			remedy += ", or read a Secret that matches " + listed(globs)
		}
		c.forbid(field, remedy, "the Secret %q matches none of %s", name, rule)
	}
	for _, e := range c.suite.Spec.Env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			check(fmt.Sprintf("spec.env[name=%s].valueFrom.secretKeyRef.name", e.Name), e.ValueFrom.SecretKeyRef.Name)
		}
	}
	for i, e := range c.suite.Spec.EnvFrom {
		if e.SecretRef != nil {
			check(fmt.Sprintf("spec.envFrom[%d].secretRef.name", i), e.SecretRef.Name)
		}
	}
}

func (c *policyCheck) resources(field string, asked, allowed corev1.ResourceList) {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		quantity := asked[name]
		if most, limited := allowed[name]; limited && quantity.Cmp(most) > 0 {
			c.forbid(join(field, string(name)), fmt.Sprintf("ask for at most %s", most.String()), "%s is more than limits.resources allows", quantity.String())
		}
	}
}

func (c *policyCheck) forbid(field, remedy, format string, args ...any) {
	format = "environment %q forbids suite %q: " + format
	args = append([]any{c.environment, c.suite.Name}, args...)
	c.found = append(c.found, fault.New(fault.PolicyViolation, fault.Place{File: c.suite.File, Field: field}, remedy, format, args...))
}

// VariablesOf gives the variables that the environment gives to suites: to those of a pull request none from Secrets that
// are not named for pull requests.
func VariablesOf(environment *v1alpha1.TestEnvironment, cause v1alpha1.CauseType) []corev1.EnvVar {
	return slices.DeleteFunc(slices.Clone(environment.Spec.Env), func(e corev1.EnvVar) bool {
		return cause == v1alpha1.CausePullRequest && e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil &&
			!matchesAny(environment.Spec.PullRequestSecrets, e.ValueFrom.SecretKeyRef.Name)
	})
}

// WithDefaultsOf gives the suite as it runs in the environment: a timeout that was left to its
// default is no longer than the environment allows, so that a suite of five lines breaks no
// rule. What a suite asks for beyond the default is for [CheckPolicy] to refuse.
func WithDefaultsOf(suite Suite, environment *v1alpha1.TestEnvironment) Suite {
	limit, timeout := environment.Spec.Limits.Timeout, suite.Spec.Timeout
	if limit != nil && limit.Duration > 0 && timeout != nil && timeout.Duration == v1alpha1.DefaultTimeout && limit.Duration < v1alpha1.DefaultTimeout {
		suite.Spec.Timeout = limit
	}
	return suite
}
