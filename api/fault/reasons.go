package fault

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reason names what went wrong, in the form of a condition's reason.
type Reason string

// The reasons. Each has a row in the table below.
const (
	InvalidSpec            Reason = "InvalidSpec"            // an object of the cluster contradicts itself
	SecretInvalid          Reason = "SecretInvalid"          // a Secret is missing, or a key of it
	ConfigMapInvalid       Reason = "ConfigMapInvalid"       // a ConfigMap is missing, or a key of it
	AuthenticationFailed   Reason = "AuthenticationFailed"   // the Git host or forge refuses the credential
	HostNotTrusted         Reason = "HostNotTrusted"         // certificate or host key does not match
	RepositoryNotFound     Reason = "RepositoryNotFound"     // the host answers, the repository is not there
	ContextTaken           Reason = "ContextTaken"           // the commit statuses are another TestRepository's
	RefNotFound            Reason = "RefNotFound"            // a branch or commit is not there (any more)
	SignatureInvalid       Reason = "SignatureInvalid"       // a commit is not signed by a key that may
	CauseNotProved         Reason = "CauseNotProved"         // a run names a cause that is the controller's own
	CommitNotReachable     Reason = "CommitNotReachable"     // a commit is of nothing that is watched
	CatalogNotFound        Reason = "CatalogNotFound"        // the commit has no tests folder, and nothing else
	OverlayNotFound        Reason = "OverlayNotFound"        // the tests folder has no overlay for the environment
	InvalidCatalog         Reason = "InvalidCatalog"         // a suite or kustomization cannot be understood
	RemoteReferenceRefused Reason = "RemoteReferenceRefused" // a kustomization names something outside the repository
	PluginRefused          Reason = "PluginRefused"          // a kustomization wants helm, exec or another plugin
	SymlinkRefused         Reason = "SymlinkRefused"         // a symlink or submodule where a file is needed
	LimitExceeded          Reason = "LimitExceeded"          // more bytes, files, depth or time than allowed
	EnvironmentNotFound    Reason = "EnvironmentNotFound"    // no TestEnvironment of that name
	EnvironmentNotAdmitted Reason = "EnvironmentNotAdmitted" // the TestEnvironment does not admit the repository
	PolicyViolation        Reason = "PolicyViolation"        // a suite asks for what the TestEnvironment forbids
	SuiteNotFound          Reason = "SuiteNotFound"          // a run asks for a suite that the catalog lacks
	ImagePullFailed        Reason = "ImagePullFailed"        // the image of a suite cannot be had
	CommandNotFound        Reason = "CommandNotFound"        // the command of a suite is not in its image
	CommandInvalid         Reason = "CommandInvalid"         // the command of a suite is there and cannot be run
	WorkingDirInvalid      Reason = "WorkingDirInvalid"      // the folder that a suite runs in is not there
	ContentFailed          Reason = "ContentFailed"          // the test content did not reach the pod
	PodRefused             Reason = "PodRefused"             // the API server does not accept the pod of a suite
	ReportMissing          Reason = "ReportMissing"          // a suite promised a report and left none
	ReportInvalid          Reason = "ReportInvalid"          // a report is not of its format
	TestsFailed            Reason = "TestsFailed"            // the suite ran and found a failure
	TimedOut               Reason = "TimedOut"               // a suite ran longer than its timeout
	HostUnreachable        Reason = "HostUnreachable"        // no answer, or no name
	HostFailed             Reason = "HostFailed"             // an answer of the 5xx kind, or a broken one
	HostBusy               Reason = "HostBusy"               // we ask the host for as much at once as we may
	RateLimited            Reason = "RateLimited"            // the host asks to come back later
	Conflict               Reason = "Conflict"               // somebody else wrote at the same time
	Evicted                Reason = "Evicted"                // the cluster took the pod away
	PodLost                Reason = "PodLost"                // the pod vanished, or its node did
	NotStarted             Reason = "NotStarted"             // a pod got no node or no image in time
	InternalError          Reason = "InternalError"          // ours
)

// kinds is the one table of reason and kind. A reason that is missing here is Internal.
var kinds = map[Reason]Kind{
	InvalidSpec: User, SecretInvalid: User, ConfigMapInvalid: User, AuthenticationFailed: User, HostNotTrusted: User,
	RepositoryNotFound: User, ContextTaken: User, RefNotFound: User, SignatureInvalid: User, CauseNotProved: User, CommitNotReachable: User,
	CatalogNotFound: User, OverlayNotFound: User,
	InvalidCatalog: User, RemoteReferenceRefused: User, PluginRefused: User, SymlinkRefused: User,
	LimitExceeded: User, EnvironmentNotFound: User, EnvironmentNotAdmitted: User, PolicyViolation: User,
	SuiteNotFound: User, ImagePullFailed: User, CommandNotFound: User, CommandInvalid: User,
	WorkingDirInvalid: User, PodRefused: User,
	ReportMissing: User, ReportInvalid: User, TestsFailed: User, TimedOut: User,
	ContentFailed: Transient, HostUnreachable: Transient, HostFailed: Transient, HostBusy: Transient, RateLimited: Transient,
	Conflict: Transient, Evicted: Transient, PodLost: Transient, NotStarted: Transient,
	InternalError: Internal,
}

// Kind gives the kind of the reason; Internal for one that the table does not know.
func (r Reason) Kind() Kind {
	if k, ok := kinds[r]; ok {
		return k
	}
	return Internal
}

// Reasons lists every reason of the table, sorted.
func Reasons() []Reason {
	all := make([]Reason, 0, len(kinds))
	for r := range kinds {
		all = append(all, r)
	}
	slices.Sort(all)
	return all
}

// Condition gives err as a False condition of the type, at the generation. The message is
// [Summary]: it holds no times and no counters that change while the fault stays the same.
func Condition(conditionType string, generation int64, err error) metav1.Condition {
	return metav1.Condition{
		Type:               conditionType,
		Status:             metav1.ConditionFalse,
		ObservedGeneration: generation,
		Reason:             string(ReasonOf(err)),
		Message:            Summary(err),
	}
}

// FromCondition is the way back: the fault a False condition stands for, nil for any other.
func FromCondition(c metav1.Condition) *Fault {
	if c.Status != metav1.ConditionFalse {
		return nil
	}
	return &Fault{Reason: Reason(c.Reason), Message: c.Message}
}
