package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CatalogPolicy says what becomes of the TestSuites in the cluster that show a repository's
// catalogs.
type CatalogPolicy string

// The policies.
const (
	// CatalogMend makes them as in Git again when somebody changes or deletes one.
	CatalogMend CatalogPolicy = "Mend"
	// CatalogReport says so, and leaves them until Git changes the suite.
	CatalogReport CatalogPolicy = "Report"
	// CatalogNone keeps none.
	CatalogNone CatalogPolicy = "None"
)

// Marks of a TestSuite that shows a suite of a catalog, beside RepositoryLabel,
// EnvironmentLabel, SuiteLabel and ManagedByLabel. The name of the suite is that of its
// SuiteLabel; the object's own holds repository and environment too.
const (
	// BranchLabel is the branch, with a hash where it does not fit into a label.
	BranchLabel = "assay.dev/branch"
	// BranchAnnotation is the branch as it is, without refs/heads/.
	BranchAnnotation = "assay.dev/branch-name"
	// AppliedCommitAnnotation is the commit at which the object was last written. Later
	// commits, up to that of status.catalogs of the TestRepository, have the same suite.
	AppliedCommitAnnotation = "assay.dev/applied-commit"
	// DigestAnnotation is the digest of the suite that was written, as in the plans of runs.
	DigestAnnotation = "assay.dev/digest"
	// FileAnnotation is the file that defines it, from the root of the repository.
	FileAnnotation = "assay.dev/file"
)

// DriftedCondition of a TestRepository, and of a TestSuite, is True while what the cluster has
// is not what Git says and spec.catalog is Report; else it is not there.
const DriftedCondition = "Drifted"

// Reasons of drift, in conditions and events.
const (
	// EditedReason is for an object that somebody changed.
	EditedReason = "Edited"
	// DeletedReason is for an object that somebody deleted.
	DeletedReason = "Deleted"
	// MendedReason is for an object that was made as in Git again.
	MendedReason = "Mended"
)

// FromGitCondition of a TestSuite is False on an object that somebody made by hand: runs come
// from Git, and nobody reads it. It is not there on what the controller shows.
const FromGitCondition = "FromGit"

// MadeByHandReason is for a TestSuite that is of no repository's catalog.
const MadeByHandReason = "MadeByHand"

// TestSuiteStatus is what is known of a suite of a catalog: in one environment, on one
// branch. Git cannot say any of it.
type TestSuiteStatus struct {
	// observedGeneration is the generation that the conditions are about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Drifted, while the object differs from Git and nobody mends it; FromGit, which
	// is False on an object that somebody made by hand and that nobody reads.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// lastPassed is where the suite last passed in its environment on its branch, for a push,
	// a schedule or on request. It outlives the run.
	// +optional
	LastPassed *LastPass `json:"lastPassed,omitempty"`
}

// LastPass is where a suite last passed.
type LastPass struct {
	// run is the name of the TestRun, which may be gone by now.
	Run string `json:"run"`
	// commit that it tested.
	Commit string `json:"commit"`
	// time at which the suite ended.
	Time metav1.Time `json:"time"`
	// digest of the suite as it ran. The suite's definition has changed since when it is not
	// that of the object's annotation assay.dev/digest.
	// +optional
	Digest string `json:"digest,omitempty"`
}

// GetConditions gives the conditions.
func (s *TestSuite) GetConditions() []metav1.Condition { return s.Status.Conditions }

// SetConditions replaces the conditions.
func (s *TestSuite) SetConditions(c []metav1.Condition) { s.Status.Conditions = c }

// CatalogStatus says how the catalog of one branch stands in one environment. Lists name the
// first ten suites and count all.
type CatalogStatus struct {
	// environment whose overlay rendered it.
	Environment string `json:"environment"`
	// branch without refs/heads/.
	Branch string `json:"branch"`

	// commit whose catalog the cluster shows: all of it was written, but for what somebody
	// changed and drifted names. Empty before the first.
	// +optional
	Commit string `json:"commit,omitempty"`
	// suites that it has.
	// +optional
	Suites int32 `json:"suites,omitempty"`
	// problem says why the catalog of the branch's head is not shown; what was shown before
	// stays. Empty when it is.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Problem string `json:"problem,omitempty"`
	// drifted are the suites whose TestSuite was edited or deleted and left so.
	// +optional
	Drifted *SuiteNames `json:"drifted,omitempty"`

	// apart says how this environment differs from the others, on the default branch.
	// +optional
	Apart *EnvironmentApart `json:"apart,omitempty"`

	// passed says what is known to pass here, of the suites that are not suspended.
	// +optional
	Passed *PassSummary `json:"passed,omitempty"`
	// heads are the commits that Assay saw at the head of the branch, newest first, without
	// those that it never saw since several were pushed at once or no controller ran. They are
	// what "behind" counts in.
	// +kubebuilder:validation:MaxItems=20
	// +listType=atomic
	// +optional
	Heads []string `json:"heads,omitempty"`
}

// SuiteNames names suites.
type SuiteNames struct {
	// count of all.
	Count int32 `json:"count"`
	// names of the first ten, sorted.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Names []string `json:"names,omitempty"`
}

// MaxNamed is how many suites a status names before it counts.
const MaxNamed = 10

// NameSuites names the first suites and counts all; nil for none.
func NameSuites(names []string) *SuiteNames {
	if len(names) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(names))
	return &SuiteNames{Count: int32(len(sorted)), Names: sorted[:min(len(sorted), MaxNamed)]}
}

// EnvironmentApart says how the catalog of an environment differs from those of the others.
// What is not there does not differ.
type EnvironmentApart struct {
	// onlyHere are the suites that no other environment has.
	// +optional
	OnlyHere *SuiteNames `json:"onlyHere,omitempty"`
	// missingHere are the suites that others have.
	// +optional
	MissingHere *SuiteNames `json:"missingHere,omitempty"`
	// suspendedHere are the suites that are suspended here and run elsewhere.
	// +optional
	SuspendedHere *SuiteNames `json:"suspendedHere,omitempty"`
	// differing are the suites with another image, timeout, arguments, variables or resources
	// than elsewhere. Overlays are there to make differences, so these need not be wrong.
	// +optional
	Differing *SuitesDiffering `json:"differing,omitempty"`
}

// SuitesDiffering names suites and what differs.
type SuitesDiffering struct {
	// count of all.
	Count int32 `json:"count"`
	// suites are the first ten, sorted.
	// +kubebuilder:validation:MaxItems=10
	// +listType=map
	// +listMapKey=suite
	// +optional
	Suites []SuiteDiffering `json:"suites,omitempty"`
}

// SuiteDiffering names a suite and what differs.
type SuiteDiffering struct {
	// suite is its name.
	Suite string `json:"suite"`
	// fields are the paths of the first ten fields that differ from another environment, such
	// as spec.env[name=BASE_URL].value.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Fields []string `json:"fields,omitempty"`
	// more counts the fields that are left out.
	// +optional
	More int32 `json:"more,omitempty"`
}

// PassSummary says what is known to pass in an environment. TestSuites say it of each suite.
type PassSummary struct {
	// atHead counts the suites that passed at the head of the branch.
	// +optional
	AtHead int32 `json:"atHead,omitempty"`
	// behind are the suites that last passed at an earlier commit and have not changed since.
	// +optional
	Behind *SuiteNames `json:"behind,omitempty"`
	// furthest is how many heads the branch has had since the pass of theirs that is furthest
	// behind; as many as heads has when it was before those.
	// +optional
	Furthest int32 `json:"furthest,omitempty"`
	// changed are the suites whose definition is another than when they last passed.
	// +optional
	Changed *SuiteNames `json:"changed,omitempty"`
	// never are the suites of which no pass is known.
	// +optional
	Never *SuiteNames `json:"never,omitempty"`
}
