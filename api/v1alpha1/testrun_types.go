package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestRun is one execution of selected suites, at one commit, in one environment, for one
// reason. Every trigger does one thing: it creates a TestRun.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=run,categories=assay
// +kubebuilder:selectablefield:JSONPath=`.spec.repositoryRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.commit`
// +kubebuilder:selectablefield:JSONPath=`.spec.cause.type`
// +kubebuilder:selectablefield:JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Repository",type=string,JSONPath=`.spec.repositoryRef.name`
// +kubebuilder:printcolumn:name="Environment",type=string,JSONPath=`.spec.environment`
// +kubebuilder:printcolumn:name="Cause",type=string,JSONPath=`.spec.cause.type`
// +kubebuilder:printcolumn:name="Pull",type=integer,JSONPath=`.spec.cause.pullRequest.number`
// +kubebuilder:printcolumn:name="Branch",type=string,JSONPath=`.spec.branch`,priority=1
// +kubebuilder:printcolumn:name="Commit",type=string,JSONPath=`.spec.commit`,priority=1
// +kubebuilder:printcolumn:name="Started",type=date,JSONPath=`.status.startTime`,priority=1
// +kubebuilder:printcolumn:name="Ended",type=date,JSONPath=`.status.completionTime`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.message`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name is used as a label: at most 63 characters"
type TestRun struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what to run. Only spec.cancel can change.
	// +required
	Spec TestRunSpec `json:"spec"`
	// +optional
	Status TestRunStatus `json:"status,omitempty"`
}

// TestRunSpec says what to run, where and why.
//
// +kubebuilder:validation:XValidation:rule="self.repositoryRef == oldSelf.repositoryRef && self.environment == oldSelf.environment && self.commit == oldSelf.commit && self.cause == oldSelf.cause",message="a run cannot be changed but for spec.cancel: create another"
// +kubebuilder:validation:XValidation:rule="has(self.base) == has(oldSelf.base) && (!has(self.base) || self.base == oldSelf.base)",message="a run cannot be changed but for spec.cancel: create another"
// +kubebuilder:validation:XValidation:rule="has(self.branch) == has(oldSelf.branch) && (!has(self.branch) || self.branch == oldSelf.branch)",message="a run cannot be changed but for spec.cancel: create another"
// +kubebuilder:validation:XValidation:rule="has(self.tag) == has(oldSelf.tag) && (!has(self.tag) || self.tag == oldSelf.tag)",message="a run cannot be changed but for spec.cancel: create another"
// +kubebuilder:validation:XValidation:rule="has(self.suites) == has(oldSelf.suites) && (!has(self.suites) || self.suites == oldSelf.suites)",message="a run cannot be changed but for spec.cancel: create another"
type TestRunSpec struct {
	// repositoryRef names the TestRepository, in this namespace.
	// +required
	RepositoryRef LocalReference `json:"repositoryRef"`

	// environment is the name of the TestEnvironment.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Environment string `json:"environment"`

	// commit is the full hash of the commit to test.
	// +kubebuilder:validation:Pattern=`^([0-9a-f]{40}|[0-9a-f]{64})$`
	// +required
	Commit string `json:"commit"`

	// base is the full hash of the commit to compare with; without it everything runs.
	// +kubebuilder:validation:Pattern=`^([0-9a-f]{40}|[0-9a-f]{64})$`
	// +optional
	Base string `json:"base,omitempty"`

	// branch that was pushed to, or that the pull request wants to go into.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Branch string `json:"branch,omitempty"`

	// tag that moved to the commit, without refs/tags/. A run of a tag has no branch.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Tag string `json:"tag,omitempty"`

	// cause is why the run exists.
	// +required
	Cause Cause `json:"cause"`

	// suites to run. Default: those that the change concerns.
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +optional
	Suites []string `json:"suites,omitempty"`

	// cancel stops the run.
	// +optional
	Cancel bool `json:"cancel,omitempty"`
}

// CauseType is the kind of trigger.
type CauseType string

// The kinds of trigger.
const (
	CausePullRequest CauseType = "PullRequest"
	CausePush        CauseType = "Push"
	CauseSchedule    CauseType = "Schedule"
	CauseAPI         CauseType = "API"
)

// Cause is why a run exists.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'PullRequest') == has(self.pullRequest)",message="cause.pullRequest goes with type PullRequest"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Schedule') == has(self.scheduledTime)",message="cause.scheduledTime goes with type Schedule"
type Cause struct {
	// type of the trigger.
	// +kubebuilder:validation:Enum=PullRequest;Push;Schedule;API
	// +required
	Type CauseType `json:"type"`
	// pullRequest that is tested.
	// +optional
	PullRequest *PullRequestRef `json:"pullRequest,omitempty"`
	// scheduledTime is the time that the schedule named.
	// +optional
	ScheduledTime *metav1.Time `json:"scheduledTime,omitempty"`
	// by is who asked, as far as it is known.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	By string `json:"by,omitempty"`
}

// PullRequestRef names a pull request.
type PullRequestRef struct {
	// number of the pull request.
	// +kubebuilder:validation:Minimum=1
	// +required
	Number int64 `json:"number"`
	// url of its page.
	// +optional
	URL string `json:"url,omitempty"`
}

// RunState is where a run, or a suite of it, stands.
type RunState string

// The states of runs and suites. Passed, Failed, Errored, Cancelled and Skipped are final.
const (
	// StatePending has not started.
	StatePending RunState = "Pending"
	// StateRunning has at least one attempt.
	StateRunning RunState = "Running"
	// StatePassed: no required suite failed; also when no suite is concerned.
	StatePassed RunState = "Passed"
	// StateFailed: a test failed.
	StateFailed RunState = "Failed"
	// StateErrored: it could not be found out, because of bad input or a broken cluster.
	StateErrored RunState = "Errored"
	// StateCancelled: superseded by a newer head, or cancelled by somebody.
	StateCancelled RunState = "Cancelled"
	// StateSkipped is for a suite whose plan entry says that it does not run.
	StateSkipped RunState = "Skipped"
)

// Final says whether the state does not change any more.
func (s RunState) Final() bool {
	switch s {
	case StatePassed, StateFailed, StateErrored, StateCancelled, StateSkipped:
		return true
	}
	return false
}

// TestRunStatus is how a run stands.
type TestRunStatus struct {
	// observedGeneration is the generation that the conditions are about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Planned, Ready, Complete; Reconciling while it is under way.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// state of the whole run.
	// +optional
	State RunState `json:"state,omitempty"`
	// message is one line on the state, such as "2 of 6 suites failed".
	// +optional
	Message string `json:"message,omitempty"`
	// startTime is when the run was planned.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// completionTime is when the state became final.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// plan is what the run does and why: every suite of the catalog, or of spec.suites, with its
	// reason to run or to be left out.
	// +listType=map
	// +listMapKey=suite
	// +optional
	Plan []PlannedSuite `json:"plan,omitempty"`
	// catalogDiff is what differs from the catalog of the base, in at most 16 KiB: without
	// suites when nothing does. It is not there when the base has no catalog to compare with.
	// +optional
	CatalogDiff *CatalogDifference `json:"catalogDiff,omitempty"`
	// suites that run, in the order of the plan.
	// +listType=map
	// +listMapKey=name
	// +optional
	Suites []SuiteStatus `json:"suites,omitempty"`

	// published is the digest of what was last made to stand on the forge for this run.
	// +optional
	Published string `json:"published,omitempty"`
}

// PlannedSuite is an entry of the plan.
type PlannedSuite struct {
	// suite is the name of the TestSuite.
	Suite string `json:"suite"`
	// run says whether it runs. A suite of which an earlier pass is reused, or that the
	// environment's policy forbids, would have run, and has its state without a pod.
	Run bool `json:"run"`
	// reasons to run or to be left out; never empty.
	Reasons []string `json:"reasons"`
	// reused names the earlier pass of a hermetic suite that stands for running it again.
	// +optional
	Reused *ReusedPass `json:"reused,omitempty"`
	// violation is what the environment's policy forbids of a suite that would run: field,
	// rule and remedy in a line.
	// +optional
	Violation string `json:"violation,omitempty"`
	// digest of the rendered suite.
	// +optional
	Digest string `json:"digest,omitempty"`
	// contentDigest is that of the files its pod got, as far as it is known. A suite that runs
	// its image's own entry point gets none.
	// +optional
	ContentDigest string `json:"contentDigest,omitempty"`
	// environmentDigest is that of what the environment added to the pod of a hermetic suite:
	// namespace, service account, variables, default resources, the timeout it allows.
	// +optional
	EnvironmentDigest string `json:"environmentDigest,omitempty"`
	// gate of the suite.
	// +optional
	Gate Gate `json:"gate,omitempty"`
	// owners of the suite.
	// +optional
	Owners []string `json:"owners,omitempty"`
	// file that defines it, from the root of the repository.
	// +optional
	File string `json:"file,omitempty"`
}

// ReusedPass is where a hermetic suite passed with the same definition, content and
// environment.
type ReusedPass struct {
	// run is the name of the TestRun, in the same namespace.
	Run string `json:"run"`
	// commit that it tested.
	Commit string `json:"commit"`
	// cases that it counted.
	// +optional
	Cases *CaseCounts `json:"cases,omitempty"`
}

// SuiteStatus is how a suite of the run stands.
type SuiteStatus struct {
	// name of the suite.
	Name string `json:"name"`
	// state of the suite.
	State RunState `json:"state"`
	// reason of a state that is not Passed, as in api/fault.
	// +optional
	Reason string `json:"reason,omitempty"`
	// message is one line on the state.
	// +optional
	Message string `json:"message,omitempty"`
	// attempts in their order.
	// +listType=map
	// +listMapKey=number
	// +optional
	Attempts []Attempt `json:"attempts,omitempty"`
	// cases of the last attempt's report.
	// +optional
	Cases *CaseCounts `json:"cases,omitempty"`
	// failures of the last attempt: the first few cases that failed.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Failures []CaseFailure `json:"failures,omitempty"`
	// output is the end of what the last attempt printed, secrets masked, where the suite went
	// wrong without a case that says why.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Output string `json:"output,omitempty"`
}

// Attempt is one pod of a suite.
type Attempt struct {
	// number from 1.
	Number int32 `json:"number"`
	// pod is its name, in the environment's namespace.
	Pod string `json:"pod"`
	// podUID is its UID: another pod of that name is not the attempt.
	// +optional
	PodUID types.UID `json:"podUID,omitempty"`
	// state of the attempt.
	State RunState `json:"state"`
	// reason of a state that is not Passed, as in api/fault.
	// +optional
	Reason string `json:"reason,omitempty"`
	// message is one line on the state.
	// +optional
	Message string `json:"message,omitempty"`
	// exitCode of the command.
	// +optional
	ExitCode *int32 `json:"exitCode,omitempty"`
	// startTime is when the pod was created.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// completionTime is when its container ended.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
}

// CaseCounts counts the cases of a report.
type CaseCounts struct {
	// total is the sum of the others but flaky.
	Total int32 `json:"total"`
	// passed, flaky ones included.
	// +optional
	Passed int32 `json:"passed,omitempty"`
	// failed assertions.
	// +optional
	Failed int32 `json:"failed,omitempty"`
	// errored before they could assert.
	// +optional
	Errored int32 `json:"errored,omitempty"`
	// skipped by the tool.
	// +optional
	Skipped int32 `json:"skipped,omitempty"`
	// flaky passed only when repeated.
	// +optional
	Flaky int32 `json:"flaky,omitempty"`
}

// CaseFailure is a case that failed.
type CaseFailure struct {
	// name of the case, with its suite or class in front where the report has one.
	// +kubebuilder:validation:MaxLength=512
	Name string `json:"name"`
	// message is what the tool said, cut to 1024 bytes.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
	// file of the case, where the report has one.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	File string `json:"file,omitempty"`
	// line in file, from 1.
	// +optional
	Line int32 `json:"line,omitempty"`
}

// GetConditions gives the conditions.
func (r *TestRun) GetConditions() []metav1.Condition { return r.Status.Conditions }

// SetConditions replaces the conditions.
func (r *TestRun) SetConditions(c []metav1.Condition) { r.Status.Conditions = c }

// TestRunList is a list of TestRuns.
// +kubebuilder:object:root=true
type TestRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TestRun `json:"items"`
}
