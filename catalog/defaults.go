package catalog

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// applyDefaults fills in what the suite leaves out, the tool's preset included. It leaves
// alone what depends on the repository or the environment: workingDir, content.paths, resources.
func applyDefaults(s *v1alpha1.TestSuite) {
	spec := &s.Spec
	setDefault(&spec.Tool, v1alpha1.DefaultTool)
	setDefault(&spec.ImagePullPolicy, corev1.PullIfNotPresent)
	setDefault(&spec.Gate, v1alpha1.GateRequired)
	setDefault(&spec.RunAsUser, ptr.To(v1alpha1.DefaultRunAsUser))
	setDefault(&spec.Timeout, &metav1.Duration{Duration: v1alpha1.DefaultTimeout})
	setDefault(&spec.Retries.Infrastructure, ptr.To(v1alpha1.DefaultInfrastructureRetries))
	applyPreset(spec, tool(spec.Tool))
	if spec.WorkingDir != "" {
		spec.WorkingDir = path.Clean(spec.WorkingDir)
	}
	for i, p := range spec.Content.Paths {
		spec.Content.Paths[i] = path.Clean(p)
	}
	applyTriggers(spec)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func applyPreset(spec *v1alpha1.TestSuiteSpec, preset Tool) {
	setDefault(&spec.Image, preset.Image)
	if len(spec.Command) == 0 {
		spec.Command = slices.Clone(preset.Command)
	}
	var env []corev1.EnvVar
	for _, e := range preset.Env {
		if !slices.ContainsFunc(spec.Env, func(own corev1.EnvVar) bool { return own.Name == e.Name }) {
			env = append(env, e)
		}
	}
	spec.Env = append(env, spec.Env...)
	if spec.Report == nil {
		spec.Report = ptr.To(preset.Report)
		setDefault(&spec.Report.Format, v1alpha1.ReportNone)
	}
	if spec.Report.Path == "" {
		spec.Report.Path = reportPath(spec.Report.Format, preset)
	}
}

// reportPath is where a report is when the suite does not say: where the preset has it, or on
// the standard output when that is how tools commonly give the format.
func reportPath(format v1alpha1.ReportFormat, preset Tool) string {
	switch {
	case format == preset.Report.Format:
		return preset.Report.Path
	case format == v1alpha1.ReportTAP || format == v1alpha1.ReportGoTestJSON:
		return "-"
	}
	return ""
}

// applyTriggers says what a suite without triggers means, so that nobody else has to know.
func applyTriggers(spec *v1alpha1.TestSuiteSpec) {
	if spec.On == nil || spec.On.PullRequest == nil && spec.On.Push == nil && len(spec.On.Schedule) == 0 {
		spec.On = &v1alpha1.Triggers{PullRequest: &v1alpha1.ChangeTrigger{}, Push: &v1alpha1.ChangeTrigger{}}
	}
	for i := range spec.On.Schedule {
		setDefault(&spec.On.Schedule[i].TimeZone, v1alpha1.DefaultTimeZone)
	}
}
