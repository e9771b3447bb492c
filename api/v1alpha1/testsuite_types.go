package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSuite is one thing to run: an image, a command, what it needs, what it reports, and
// when it runs. Teams commit suites under tests/ beside the code.
//
// In the cluster, TestSuites show what Git has: the controller writes one for each suite,
// environment and watched branch of a TestRepository. Its annotations say where it comes from:
// assay.dev/file is the file in the repository, and assay.dev/applied-commit the commit. Runs
// come from Git and never read these objects: one that somebody applies by hand does nothing,
// and says so in its condition FromGit. To have a suite run, commit it under tests/ of a
// TestRepository.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ts;suite,categories=assay
// +kubebuilder:printcolumn:name="Tool",type=string,JSONPath=`.spec.tool`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.image`,priority=1
// +kubebuilder:printcolumn:name="Gate",type=string,JSONPath=`.spec.gate`
// +kubebuilder:printcolumn:name="File",type=string,JSONPath=`.metadata.annotations.assay\.dev/file`
// +kubebuilder:printcolumn:name="Commit",type=string,JSONPath=`.metadata.annotations.assay\.dev/applied-commit`,priority=1
// +kubebuilder:printcolumn:name="Passed",type=date,JSONPath=`.status.lastPassed.time`
// +kubebuilder:printcolumn:name="At",type=string,JSONPath=`.status.lastPassed.commit`,priority=1
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].reason`
// +kubebuilder:printcolumn:name="Note",type=string,JSONPath=`.status.conditions[?(@.type=="FromGit")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type TestSuite struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what runs and when.
	// +required
	Spec TestSuiteSpec `json:"spec"`
	// status is the controller's; a suite in Git cannot have one.
	// +optional
	Status TestSuiteStatus `json:"status,omitzero"`
}

// TestSuiteSpec is what a team writes. Five lines are enough: the tool's preset gives what
// is left out.
//
// +kubebuilder:validation:XValidation:rule="self.tool != 'container' || has(self.image)",message="tool container has no image of its own: set spec.image"
// +kubebuilder:validation:XValidation:rule="self.tool != 'shell' || has(self.image)",message="tool shell has no image of its own: set spec.image"
// +kubebuilder:validation:XValidation:rule="self.tool != 'container' || has(self.command) || !has(self.report) || self.report.format == 'none'",message="a container that runs its image's own entry point cannot be asked for a report: set spec.command"
type TestSuiteSpec struct {
	// tool is the preset that fills in image, command and report where they are left out:
	// k6, go-test, shell (a script that prints TAP) or container (nothing filled in; without
	// a command the image's own entry point runs, and its exit code is the verdict).
	// +kubebuilder:default=container
	// +kubebuilder:validation:Enum=container;go-test;k6;shell
	// +optional
	Tool string `json:"tool,omitempty"`

	// image to run. Required for tools without an image of their own.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`

	// imagePullPolicy as in a pod.
	// +kubebuilder:default=IfNotPresent
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// command replaces the preset's command; it runs in workingDir with the content there.
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Command []string `json:"command,omitempty"`

	// args follow the command.
	// +kubebuilder:validation:MaxItems=256
	// +optional
	Args []string `json:"args,omitempty"`

	// workingDir is relative to the root of the repository. Default: the folder of the tests
	// (tests).
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(p, p == '..')",message="workingDir is a path inside the repository: no leading slash and no .."
	// +optional
	WorkingDir string `json:"workingDir,omitempty"`

	// env of the container. Names that begin with ASSAY_ are reserved.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:XValidation:rule="self.all(e, !e.name.startsWith('ASSAY_'))",message="names that begin with ASSAY_ are reserved"
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`

	// envFrom of the container: ConfigMaps and Secrets of the environment's namespace. The values
	// of a ConfigMap that the kustomization generates become variables of env.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	EnvFrom []corev1.EnvFromSource `json:"envFrom,omitempty"`

	// resources of the container. Default: the environment's.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`

	// runAsUser is the user the container runs as. Default: 65532. Root is not possible.
	// +kubebuilder:validation:Minimum=1
	// +optional
	RunAsUser *int64 `json:"runAsUser,omitempty"`

	// content is which files of the repository the pod gets.
	// +optional
	Content Content `json:"content,omitempty"`

	// report is what the suite leaves behind for Assay to read.
	// +optional
	Report *ReportSource `json:"report,omitempty"`

	// on says when the suite runs. Default: on every pull request and every push.
	// +optional
	On *Triggers `json:"on,omitempty"`

	// timeout of one attempt, from the start of its container. Default: 10m, at most what
	// the environment allows. The container gets SIGTERM then, and SIGKILL 30 s later.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s')",message="timeout is at least 1s"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// hermetic promises that nothing but the suite's definition, its content and its
	// environment decides how it ends: no running service, no time of day, no tag of an image
	// that moves (name images by digest). In return a pull request does not run it again where
	// it has passed already with all three the same, and shows that pass instead. It runs
	// nevertheless for pushes, schedules and whoever asks for it, after a run with the same
	// three that failed or was flaky, and when its variables come from Secrets or ConfigMaps.
	// +optional
	Hermetic bool `json:"hermetic,omitempty"`

	// retries says how often an attempt is repeated.
	// +optional
	Retries Retries `json:"retries,omitempty"`

	// gate says what a failure means: a required suite fails the verdict, an optional one is
	// only shown, a quarantined one is shown as such.
	// +kubebuilder:default=required
	// +kubebuilder:validation:Enum=required;optional;quarantined
	// +optional
	Gate Gate `json:"gate,omitempty"`

	// owners are the people or teams to ask, shown with a failure.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=128
	// +optional
	Owners []string `json:"owners,omitempty"`

	// suspend keeps the suite from running, and the plan says so.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Gate says what a failure of a suite means.
type Gate string

// The gates.
const (
	GateRequired    Gate = "required"
	GateOptional    Gate = "optional"
	GateQuarantined Gate = "quarantined"
)

// Content is which files of the repository a pod gets.
type Content struct {
	// paths are files and folders, relative to the root of the repository. Default: the
	// folder of the tests. A change of a file below them concerns the suite.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:XValidation:rule="self.all(p, !p.startsWith('/') && !p.split('/').exists(s, s == '..'))",message="paths are inside the repository: no leading slash and no .."
	// +optional
	Paths []string `json:"paths,omitempty"`
}

// ReportFormat names the format of a report.
type ReportFormat string

// The report formats.
const (
	// ReportNone: the exit code is the verdict.
	ReportNone       ReportFormat = "none"
	ReportJUnit      ReportFormat = "junit"
	ReportTAP        ReportFormat = "tap"
	ReportGoTestJSON ReportFormat = "go-test-json"
	ReportK6Summary  ReportFormat = "k6-summary"
)

// ReportSource is what a suite leaves behind for Assay to read.
type ReportSource struct {
	// format of the report; none means that the exit code is the verdict.
	// +kubebuilder:validation:Enum=none;junit;tap;go-test-json;k6-summary
	// +required
	Format ReportFormat `json:"format"`

	// path of the report, relative to workingDir or absolute below /tmp or /workspace; a
	// glob (with * and ?) takes every file that matches. "-" reads the standard output.
	// Default: the preset's.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Path string `json:"path,omitempty"`
}

// Triggers says when a suite runs. A trigger that is left out does not run the suite; but a
// suite without any runs on pull requests and pushes.
type Triggers struct {
	// pullRequest runs the suite for pull requests.
	// +optional
	PullRequest *ChangeTrigger `json:"pullRequest,omitempty"`

	// push runs the suite when a watched branch moves.
	// +optional
	Push *ChangeTrigger `json:"push,omitempty"`

	// schedule runs the suite at set times, from the default branch.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Schedule []Schedule `json:"schedule,omitempty"`
}

// ChangeTrigger runs a suite for a change.
type ChangeTrigger struct {
	// paths are globs (doublestar: ** crosses folders) on paths from the root of the
	// repository. The suite runs when a changed path matches, and always when its own
	// definition or content changed. Without paths it runs for every change.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +optional
	Paths []string `json:"paths,omitempty"`

	// branches are globs on the branch that is pushed to, or that the pull request wants to
	// go into. Default: every watched branch, and the tag that is followed, which is no branch.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +optional
	Branches []string `json:"branches,omitempty"`
}

// Schedule is one set time.
type Schedule struct {
	// cron has five fields: minute, hour, day of month, month, day of week. H stands for a
	// value spread by a stable hash of repository, environment and suite: "H 2 * * *" is some
	// minute past two, the same every day.
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=128
	// +required
	Cron string `json:"cron"`

	// timeZone is a name of the IANA data base, such as Europe/Berlin.
	// +kubebuilder:default=UTC
	// +kubebuilder:validation:MaxLength=64
	// +optional
	TimeZone string `json:"timeZone,omitempty"`
}

// Retries says how often an attempt is repeated.
type Retries struct {
	// infrastructure repeats attempts that the cluster lost (evicted, node gone, image not
	// pulled, content not delivered); they do not count as test failures.
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5
	// +optional
	Infrastructure *int32 `json:"infrastructure,omitempty"`
}

// TestSuiteList is a list of TestSuites.
// +kubebuilder:object:root=true
type TestSuiteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TestSuite `json:"items"`
}
