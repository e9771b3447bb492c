package v1alpha1

// Condition types. Ready, Reconciling and Stalled mean what they mean in Flux: Ready is
// always there; Reconciling and Stalled are there only while they are true.
const (
	// ReadyCondition of a TestRepository: the last poll reached host and forge, every head has
	// its runs, and Secrets and environments that the spec names can be used. Of a
	// TestEnvironment: its spec can be carried out. Both are Unknown while suspended. Of a
	// TestRun: it is finished and every required suite passed.
	ReadyCondition = "Ready"
	// ReconcilingCondition is True while work is under way.
	ReconcilingCondition = "Reconciling"
	// StalledCondition is True when only a change of the object can help.
	StalledCondition = "Stalled"
	// PlannedCondition of a TestRun: True once status.plan holds what the run will do.
	PlannedCondition = "Planned"
	// CompleteCondition of a TestRun: True once its state is final, whatever the state;
	// `kubectl wait --for=condition=Complete` waits for it.
	CompleteCondition = "Complete"
	// ScheduledCondition of a TestRepository: False while some of its schedules cannot be
	// computed or created; it is there only where suites have schedules.
	ScheduledCondition = "Scheduled"
)

// Reasons of conditions that are not faults; the reasons of faults are in api/fault.
const (
	SucceededReason   = "Succeeded"
	ProgressingReason = "Progressing"
	// ProgressingWithRetryReason is Flux's, for work that failed and is tried again.
	ProgressingWithRetryReason = "ProgressingWithRetry"
	SuspendedReason            = "Suspended"
	// SupersededReason is for a run that was cancelled because its branch or pull request moved on.
	SupersededReason = "Superseded"
	// CancelledReason is for a run that somebody cancelled by spec.cancel.
	CancelledReason = "Cancelled"
)

// Annotations and labels. Reconcile conventions are Flux's, so that its users' habits
// (`kubectl annotate … reconcile.fluxcd.io/requestedAt=…`) work here too.
const (
	// ReconcileRequestAnnotation asks for a reconcile now when its value changes.
	// On a TestRun it is the value for which a head was tested once more.
	ReconcileRequestAnnotation = "reconcile.fluxcd.io/requestedAt"
	// WebhookRequestPrefix begins the values that a webhook sets: they ask for a poll, and for no
	// more, since every push of anybody sets one.
	WebhookRequestPrefix = "webhook-"

	// RunLabel, RunNamespaceLabel and RunUIDLabel tie a pod to its TestRun.
	RunLabel          = "assay.dev/run"
	RunNamespaceLabel = "assay.dev/run-namespace"
	RunUIDLabel       = "assay.dev/run-uid"
	// SuiteLabel names the suite of a pod.
	SuiteLabel = "assay.dev/suite"
	// AttemptLabel is the number of the attempt a pod is, from 1.
	AttemptLabel = "assay.dev/attempt"
	// RepositoryLabel and EnvironmentLabel are on pods and runs.
	RepositoryLabel  = "assay.dev/repository"
	EnvironmentLabel = "assay.dev/environment"
	// CommitLabel is the full commit hash, on runs.
	CommitLabel = "assay.dev/commit"
	// CauseLabel is the lower-case cause type, on runs.
	CauseLabel = "assay.dev/cause"
	// PullRequestLabel is the number of the pull request, on runs for one.
	PullRequestLabel = "assay.dev/pull-request"
	// StateLabel is the state of a run, as in status.state.
	StateLabel = "assay.dev/state"

	// TimeoutAnnotation of a pod is the timeout of its attempt, such as 10m0s.
	TimeoutAnnotation = "assay.dev/timeout"
	// ContentAnnotation of a pod is the digest of the content it may fetch from the gateway.
	ContentAnnotation = "assay.dev/content"
	// EnvironmentAnnotation of a hermetic suite's pod is the digest of what its environment
	// added to it.
	EnvironmentAnnotation = "assay.dev/environment-digest"
	// OutcomeAnnotation of a pod is what the gateway took from it: report.Outcome as JSON.
	OutcomeAnnotation = "assay.dev/outcome"
	// ProofAnnotation says that the controller made the object, with the labels and annotations that it reads, and
	// OutcomeProofAnnotation that its gateway wrote the outcome: see package proof.
	ProofAnnotation        = "assay.dev/proof"
	OutcomeProofAnnotation = "assay.dev/outcome-proof"

	// RunFinalizer keeps a TestRun until its pods are gone: they live in another namespace,
	// where an owner reference cannot reach.
	RunFinalizer = "assay.dev/run"

	// ManagedByLabel has the value ManagedBy on everything the controller creates.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "assay"
)
