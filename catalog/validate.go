package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/report"
)

// validateFields checks each field that is there, as the schema of the CRD does and a little
// stricter where a pod or a schedule would fail later. What must be there is for
// [validateWhole], since patches may still add it.
func validateFields(s *v1alpha1.TestSuite, p *problems) {
	validateMetadata(s, p)
	spec := &s.Spec
	p.oneOf("spec.tool", spec.Tool, toolNames()...)
	p.length("spec.image", spec.Image, 512)
	if strings.ContainsFunc(spec.Image, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		p.add("spec.image", "write name:tag or name@digest", "%s is no image", shown(spec.Image))
	}
	p.oneOf("spec.imagePullPolicy", string(spec.ImagePullPolicy), "Always", "IfNotPresent", "Never")
	p.count("spec.command", len(spec.Command), 64)
	p.count("spec.args", len(spec.Args), 256)
	p.insidePath("spec.workingDir", spec.WorkingDir)
	validateEnv(spec, p)
	validateResources(&spec.Resources, p)
	if spec.RunAsUser != nil && *spec.RunAsUser < 1 {
		p.add("spec.runAsUser", "name a user from 1", "%d is no user a suite can run as: root is not possible", *spec.RunAsUser)
	}
	p.count("spec.content.paths", len(spec.Content.Paths), 64)
	for i, name := range spec.Content.Paths {
		field := fmt.Sprintf("spec.content.paths[%d]", i)
		p.notEmpty(field, name)
		p.insidePath(field, name)
	}
	validateReport(spec.Report, p)
	validateTriggers(spec.On, p)
	if t := spec.Timeout; t != nil && t.Duration < time.Second {
		p.add("spec.timeout", "write a duration of at least 1s, such as 10m", "%s is too short", t.Duration)
	}
	if n := spec.Retries.Infrastructure; n != nil && (*n < 0 || *n > 5) {
		p.add("spec.retries.infrastructure", "write a number from 0 to 5", "%d is out of range", *n)
	}
	p.oneOf("spec.gate", string(spec.Gate), string(v1alpha1.GateRequired), string(v1alpha1.GateOptional), string(v1alpha1.GateQuarantined))
	p.count("spec.owners", len(spec.Owners), 16)
	for i, owner := range spec.Owners {
		p.length(fmt.Sprintf("spec.owners[%d]", i), owner, 128)
	}
}

// validateWhole checks what spans fields, of a suite with its defaults.
func validateWhole(s *v1alpha1.TestSuite, p *problems) {
	spec := &s.Spec
	if spec.Image == "" {
		p.add("spec.image", "set spec.image", "tool %s has no image of its own", spec.Tool)
	}
	reports := spec.Report != nil && spec.Report.Format != v1alpha1.ReportNone
	if len(spec.Command) == 0 && reports {
		p.add("spec.report", "set spec.command", "a container that runs its image's own entry point cannot be asked for a report")
	}
	if reports && spec.Report.Path == "" {
		p.add("spec.report.path", "set it to the file that the tool writes", "tool %s has no path for a report of format %s", spec.Tool, spec.Report.Format)
	}
}

func validateMetadata(s *v1alpha1.TestSuite, p *problems) {
	if s.Name == "" {
		p.add("metadata.name", "give it one", "the suite has no name")
	} else if len(validation.IsDNS1123Label(s.Name)) > 0 {
		p.add("metadata.name", "use at most 63 small letters, digits and -, with a letter or digit at both ends", "%s is no name for a suite", shown(s.Name))
	}
	for _, key := range sortedKeys(s.Labels) {
		if len(validation.IsQualifiedName(key)) > 0 {
			p.add(join("metadata.labels", key), "see the Kubernetes documentation on labels", "%s is no key of a label", shown(key))
		} else if len(validation.IsValidLabelValue(s.Labels[key])) > 0 {
			p.add(join("metadata.labels", key), "use at most 63 letters, digits, -, _ and ., with a letter or digit at both ends", "%s is no value of a label", shown(s.Labels[key]))
		}
	}
	total := 0
	for _, key := range sortedKeys(s.Annotations) {
		total += len(key) + len(s.Annotations[key])
		if len(validation.IsQualifiedName(strings.ToLower(key))) > 0 {
			p.add(join("metadata.annotations", key), "see the Kubernetes documentation on annotations", "%s is no key of an annotation", shown(key))
		}
	}
	const most = 256 << 10 // of the API server
	if total > most {
		p.add("metadata.annotations", "shorten them", "%d bytes are more than the %d that annotations may have", total, most)
	}
}

func validateReport(r *v1alpha1.ReportSource, p *problems) {
	if r == nil {
		return
	}
	if r.Format == "" {
		p.add("spec.report.format", "write one of "+strings.Join(reportFormats(), ", "), "the report has no format")
	}
	p.oneOf("spec.report.format", string(r.Format), reportFormats()...)
	p.length("spec.report.path", r.Path, 512)
	if r.Path == "" || r.Path == "-" {
		return
	}
	p.glob("spec.report.path", r.Path)
	clean := path.Clean(r.Path)
	absolute := strings.HasPrefix(clean, "/") && !strings.HasPrefix(clean, "/tmp/") && !strings.HasPrefix(clean, "/workspace/")
	if absolute || slices.Contains(strings.Split(r.Path, "/"), "..") {
		p.add("spec.report.path", "write a path below workingDir, /tmp or /workspace, or - for the standard output", "%s is not a place for a report", shown(r.Path))
	}
}

// reportFormats are those that can be read, and none.
func reportFormats() []string {
	formats := []string{string(v1alpha1.ReportNone)}
	for _, f := range report.Formats() {
		formats = append(formats, string(f))
	}
	return formats
}

func validateTriggers(on *v1alpha1.Triggers, p *problems) {
	if on == nil {
		return
	}
	validateTrigger("spec.on.pullRequest", on.PullRequest, p)
	validateTrigger("spec.on.push", on.Push, p)
	p.count("spec.on.schedule", len(on.Schedule), 8)
	for i, s := range on.Schedule {
		validateSchedule(fmt.Sprintf("spec.on.schedule[%d]", i), s, p)
	}
}

func validateTrigger(field string, trigger *v1alpha1.ChangeTrigger, p *problems) {
	if trigger != nil {
		p.globs(field+".paths", trigger.Paths, 64, 512)
		p.globs(field+".branches", trigger.Branches, 32, 256)
	}
}

func validateSchedule(field string, s v1alpha1.Schedule, p *problems) {
	p.length(field+".timeZone", s.TimeZone, 64)
	if _, err := location(s.TimeZone); err != nil {
		p.add(field+".timeZone", "write a name of the IANA data base, such as Europe/Berlin", "%s is no time zone", shown(s.TimeZone))
	}
	if s.Cron == "" {
		p.add(field+".cron", "write five fields, such as H 2 * * *", "the schedule has no cron")
		return
	}
	if _, err := parseCron(s.Cron, ""); err != nil {
		p.add(field+".cron", "write minute, hour, day of month, month and day of week, such as H 2 * * *", "%s is no cron: %w", shown(s.Cron), err)
	}
}

func (p *problems) globs(field string, globs []string, most, length int) {
	p.count(field, len(globs), most)
	for i, glob := range globs {
		item := fmt.Sprintf("%s[%d]", field, i)
		p.notEmpty(item, glob)
		p.length(item, glob, length)
		p.glob(item, glob)
	}
}

func (p *problems) glob(field, glob string) {
	if err := checkGlob(glob); err != nil {
		p.add(field, "see the documentation of globs: * stays in a folder, ** crosses folders", "%s is no glob: %w", shown(glob), err)
	}
}

// insidePath notes a path that is not a clean one inside the repository.
func (p *problems) insidePath(field, name string) {
	p.length(field, name, 512)
	if strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00") || slices.Contains(strings.Split(name, "/"), "..") {
		p.add(field, "write a path from the root of the repository, without a leading slash and without ..", "%s is not a path inside the repository", shown(name))
	}
}

func (p *problems) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		p.add(field, "write one of "+strings.Join(allowed, ", "), "%s is not known", shown(value))
	}
}

func (p *problems) notEmpty(field, value string) {
	if value == "" {
		p.add(field, "remove it or write something", "the text is empty")
	}
}

// length counts characters, as the API server does.
func (p *problems) length(field, value string, most int) {
	if n := utf8.RuneCountInString(value); n > most {
		p.add(field, "shorten it", "%d characters are more than the %d allowed", n, most)
	}
}

func (p *problems) count(field string, n, most int) {
	if n > most {
		p.add(field, "remove some", "%d entries are more than the %d allowed", n, most)
	}
}
