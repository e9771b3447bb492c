package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRepository is a Git repository that Assay syncs.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=tr;testrepo,categories=assay
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.provider`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name is used as a label: at most 63 characters"
type TestRepository struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what to sync.
	// +required
	Spec TestRepositorySpec `json:"spec"`
	// +optional
	Status TestRepositoryStatus `json:"status,omitempty"`
}

// TestRepositorySpec says what to sync and where its suites run.
//
// +kubebuilder:validation:XValidation:rule="self.provider == 'plain' || !self.url.startsWith('ssh://') || has(self.apiURL)",message="with an ssh:// URL the forge's API cannot be guessed: set spec.apiURL"
type TestRepositorySpec struct {
	// url of the repository: https://, ssh://, or http:// where the controller allows it.
	// Credentials go into the Secret, not here.
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[A-Za-z0-9_.-]+@[^/:@ ]+:[^@ ]+$')",message="an address of scp is no URL: write ssh://git@host/path",messageExpression="'write ssh://' + self.replace(':', '/', 1)"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.-]+@[^/:@ ]+:[^@ ]+$') || self.matches('^(https?://[^@ \\t\\r\\n]+|ssh://([A-Za-z0-9_.-]+@)?[^@ \\t\\r\\n]+)$')",message="url begins with https://, http:// or ssh://, and holds no password: that goes into the Secret"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +required
	URL string `json:"url"`

	// provider is the kind of forge: gitea (Forgejo too), or plain for Git without an API,
	// which has neither pull requests nor commit statuses.
	// +kubebuilder:default=plain
	// +kubebuilder:validation:Enum=gitea;plain
	// +optional
	Provider ProviderName `json:"provider,omitempty"`

	// apiURL is the root of the forge. Default: scheme and host of url.
	// +kubebuilder:validation:Pattern=`^https?://[^\s@]+$`
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	APIURL string `json:"apiURL,omitempty"`

	// secretRef names a Secret of this namespace with Flux's keys: username and password (a
	// token is a password), bearerToken, identity and known_hosts for SSH, ca.crt, tls.crt and
	// tls.key; or githubAppID, githubAppPrivateKey and githubAppInstallationID (or
	// githubAppInstallationOwner), and githubAppBaseURL for a GitHub of one's own. The key
	// apiToken is for the forge's API; default: bearerToken, password or the App's token.
	// +optional
	SecretRef *LocalReference `json:"secretRef,omitempty"`

	// proxySecretRef names a Secret of this namespace with Flux's keys address (http://,
	// https:// or socks5://), username and password: the proxy to the Git host and to the
	// forge's API. SSH goes through socks5 only. Default: the proxy of the controller's
	// environment, for https.
	// +optional
	ProxySecretRef *LocalReference `json:"proxySecretRef,omitempty"`

	// verify says which signatures a commit needs to be tested; without it, none.
	// +optional
	Verify *Verification `json:"verify,omitempty"`

	// webhook lets the forge say that there is something new, so that it is looked for at
	// once and not at the next interval. It says no more than that.
	// +optional
	Webhook *Webhook `json:"webhook,omitempty"`

	// interval between polls, jittered by 5 %.
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s')",message="interval is at least 1s"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`

	// timeout of one Git or API operation.
	// +kubebuilder:default="60s"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// suspend stops polling and schedules; runs that exist go on. Ready is Unknown meanwhile,
	// with the reason Suspended.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// branches are globs (doublestar) of the branches whose pushes are tested. Default: the
	// default branch.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +optional
	Branches []string `json:"branches,omitempty"`

	// tags says which tag is followed, beside the branches; without it, none.
	// +optional
	Tags *TagPolicy `json:"tags,omitempty"`

	// pullRequests says which pull requests are tested.
	// +kubebuilder:default={}
	// +optional
	PullRequests PullRequestPolicy `json:"pullRequests,omitempty"`

	// path of the folder of the tests, from the root of the repository.
	// +kubebuilder:default=tests
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(p, p == '..' || p == '.' || p == '')",message="path is a folder inside the repository: no leading or trailing slash and no .."
	// +optional
	Path string `json:"path,omitempty"`

	// environments in which the suites run.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +required
	Environments []EnvironmentRef `json:"environments"`

	// statuses says how many commit statuses are set: Environment sets one for each
	// environment, Suite adds one for each suite that runs.
	// +kubebuilder:default=Environment
	// +kubebuilder:validation:Enum=Environment;Suite
	// +optional
	Statuses StatusDetail `json:"statuses,omitempty"`

	// statusPrefix begins the context of every commit status, before a slash and the
	// environment. Two TestRepositories of one Git repository that share an environment need
	// different ones. Default: assay, or assay/NAME where the controller was given a
	// --controller-name.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][-A-Za-z0-9_.]*(/[A-Za-z0-9][-A-Za-z0-9_.]*)*$`
	// +optional
	StatusPrefix string `json:"statusPrefix,omitempty"`

	// comment says when a pull request gets its comment: Always, OnFailure (first written
	// when something fails, then kept up to date) or Never.
	// +kubebuilder:default=Always
	// +kubebuilder:validation:Enum=Always;OnFailure;Never
	// +optional
	Comment CommentPolicy `json:"comment,omitempty"`

	// catalog says what becomes of the TestSuites that show the catalogs of the watched
	// branches in this namespace, one for each suite and environment: Mend makes them as in Git
	// again when somebody changes or deletes one; Report says so, and leaves that until Git
	// changes the suite; None keeps none. Runs never read them: they render from Git.
	// +kubebuilder:default=Mend
	// +kubebuilder:validation:Enum=Mend;Report;None
	// +optional
	Catalog CatalogPolicy `json:"catalog,omitempty"`
}

// ProviderName is the kind of forge.
type ProviderName string

// The providers.
const (
	ProviderGitea ProviderName = "gitea"
	ProviderPlain ProviderName = "plain"
)

// StatusDetail says how many commit statuses are set.
type StatusDetail string

// The levels of detail.
const (
	StatusPerEnvironment StatusDetail = "Environment"
	StatusPerSuite       StatusDetail = "Suite"
)

// CommentPolicy says when a pull request gets its comment.
type CommentPolicy string

// The comment policies.
const (
	CommentAlways    CommentPolicy = "Always"
	CommentOnFailure CommentPolicy = "OnFailure"
	CommentNever     CommentPolicy = "Never"
)

// PullRequestPolicy says which pull requests are tested.
type PullRequestPolicy struct {
	// from is whose pull requests run: SameRepository leaves out forks, whose code would run
	// inside the cluster unseen; None runs none.
	// +kubebuilder:default=SameRepository
	// +kubebuilder:validation:Enum=SameRepository;None
	// +optional
	From PullRequestSource `json:"from,omitempty"`

	// drafts are tested too.
	// +optional
	Drafts bool `json:"drafts,omitempty"`
}

// PullRequestSource is whose pull requests run.
type PullRequestSource string

// The sources of pull requests.
const (
	PullRequestsSameRepository PullRequestSource = "SameRepository"
	PullRequestsNone           PullRequestSource = "None"
)

// TagPolicy says which tag is followed: the one of the highest version.
type TagPolicy struct {
	// match are globs (doublestar) of the tags that count, without refs/tags/. Default: all.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +optional
	Match []string `json:"match,omitempty"`

	// semver is the range of versions that count, such as ">=1.0.0" or "~2.1"; pre-releases
	// count only where the range names one, as in ">=1.0.0-0". Tags that are no version never
	// count; a leading v is fine.
	// +kubebuilder:default="*"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	SemVer string `json:"semver,omitempty"`
}

// Verification says which signatures a commit needs.
type Verification struct {
	// secretRef names a Secret of this namespace with the public keys that may sign, one of
	// which must have signed the commit itself: PGP public key blocks in armour under any key,
	// and SSH public keys under keys that end in .pub or are called allowed_signers, in the
	// format of either authorized_keys or allowed_signers.
	// +required
	SecretRef LocalReference `json:"secretRef"`
}

// Webhook lets the forge say that there is something new.
type Webhook struct {
	// secretRef names a Secret of this namespace whose key token is the secret that the forge
	// was given for the webhook, as for Flux's Receiver.
	// +required
	SecretRef LocalReference `json:"secretRef"`
}

// EnvironmentRef names an environment and the overlay for it.
type EnvironmentRef struct {
	// name of the TestEnvironment.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Name string `json:"name"`

	// overlay is the kustomize overlay below path. Default: overlays/<name>.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(p, p == '..')",message="overlay is a folder below spec.path: no leading slash and no .."
	// +optional
	Overlay string `json:"overlay,omitempty"`
}

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object.
	// +kubebuilder:validation:MinLength=1
	// +required
	Name string `json:"name"`
}

// TestRepositoryStatus is what the last poll found. It holds no times that change with
// every poll, so that a poll that finds nothing writes nothing.
type TestRepositoryStatus struct {
	// observedGeneration is the generation that the conditions are about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// lastHandledReconcileAt is the last handled value of the annotation
	// reconcile.fluxcd.io/requestedAt.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
	// conditions: Ready; Reconciling, Stalled and Drifted while they are true; Scheduled where
	// suites have schedules.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// defaultBranch of the repository, without refs/heads/.
	// +optional
	DefaultBranch string `json:"defaultBranch,omitempty"`
	// defaultCommit is the full hash of its head; schedules run there.
	// +optional
	DefaultCommit string `json:"defaultCommit,omitempty"`
	// heads are the watched branches and the commits that have their runs.
	// +listType=map
	// +listMapKey=branch
	// +optional
	Heads []Head `json:"heads,omitempty"`
	// tag that is followed and the commit that has its runs.
	// +optional
	Tag *TagHead `json:"tag,omitempty"`
	// pullRequests are the open ones and the commits that have their runs.
	// +listType=map
	// +listMapKey=number
	// +optional
	PullRequests []PullRequestHead `json:"pullRequests,omitempty"`
	// lastScheduleTime is when a schedule last created a run.
	// +optional
	LastScheduleTime *metav1.Time `json:"lastScheduleTime,omitempty"`
	// schedules say, for each environment with schedules in force, up to when their times are
	// dealt with. A time counts only for a schedule that was there before it.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=environment
	// +optional
	Schedules []ScheduleStatus `json:"schedules,omitempty"`
	// catalogs say how cluster, Git and the environments stand to each other, for each
	// environment and watched branch; at most 64, those of the default branch first.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=environment
	// +listMapKey=branch
	// +optional
	Catalogs []CatalogStatus `json:"catalogs,omitempty"`
}

// Head is a watched branch.
type Head struct {
	// branch without refs/heads/.
	Branch string `json:"branch"`
	// commit is the full hash.
	Commit string `json:"commit"`
	// environments that have their run of this commit.
	// +listType=set
	// +optional
	Environments []string `json:"environments,omitempty"`
}

// TagHead is the tag that is followed.
type TagHead struct {
	// name without refs/tags/.
	Name string `json:"name"`
	// commit is the full hash.
	Commit string `json:"commit"`
	// environments that have their run of this commit.
	// +listType=set
	// +optional
	Environments []string `json:"environments,omitempty"`
}

// PullRequestHead is an open pull request.
type PullRequestHead struct {
	// number of the pull request.
	Number int64 `json:"number"`
	// commit is the full hash of its head.
	Commit string `json:"commit"`
	// environments that have their run of this commit.
	// +listType=set
	// +optional
	Environments []string `json:"environments,omitempty"`
	// skipped says why it has no runs; empty when it has.
	// +optional
	Skipped string `json:"skipped,omitempty"`
}

// ScheduleStatus is how far the schedules of an environment are dealt with.
type ScheduleStatus struct {
	// environment is the name of the TestEnvironment.
	// +kubebuilder:validation:MaxLength=63
	Environment string `json:"environment"`
	// time up to which every scheduled time has its run, or was left out.
	Time metav1.Time `json:"time"`
	// timetable is the digest of the schedules that were in force then.
	// +kubebuilder:validation:MaxLength=64
	Timetable string `json:"timetable"`
	// commit is the full hash of a commit with that timetable.
	// +kubebuilder:validation:MaxLength=64
	Commit string `json:"commit"`
	// lastSkippedTime is the last scheduled time that was left out, for some of its suites at
	// least: their run of a time before had not ended, or ten scheduled runs had not.
	// +optional
	LastSkippedTime *metav1.Time `json:"lastSkippedTime,omitempty"`
}

// GetConditions gives the conditions.
func (r *TestRepository) GetConditions() []metav1.Condition { return r.Status.Conditions }

// SetConditions replaces the conditions.
func (r *TestRepository) SetConditions(c []metav1.Condition) { r.Status.Conditions = c }

// GetTimeout gives the timeout of one Git or API operation.
func (r *TestRepository) GetTimeout() time.Duration {
	if r.Spec.Timeout == nil || r.Spec.Timeout.Duration <= 0 {
		return time.Minute
	}
	return r.Spec.Timeout.Duration
}

// CatalogPolicy gives what becomes of the TestSuites that show the catalogs.
func (r *TestRepository) CatalogPolicy() CatalogPolicy {
	if r.Spec.Catalog == "" {
		return CatalogMend
	}
	return r.Spec.Catalog
}

// OverlayFor gives the path of the overlay for an environment from the root of the
// repository, and false when the repository does not run there.
func (r *TestRepository) OverlayFor(environment string) (string, bool) {
	for _, e := range r.Spec.Environments {
		if e.Name != environment {
			continue
		}
		if e.Overlay == "" {
			return r.TestsPath() + "/overlays/" + environment, true
		}
		return r.TestsPath() + "/" + e.Overlay, true
	}
	return "", false
}

// TestsPath gives the folder of the tests.
func (r *TestRepository) TestsPath() string {
	if r.Spec.Path == "" {
		return DefaultTestsPath
	}
	return r.Spec.Path
}

// TestRepositoryList is a list of TestRepositories.
// +kubebuilder:object:root=true
type TestRepositoryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TestRepository `json:"items"`
}
