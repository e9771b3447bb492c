package testrepository

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	fluxctrl "github.com/fluxcd/pkg/runtime/controller"
	"github.com/fluxcd/pkg/runtime/patch"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/sync/git"
)

// Refs knows the branches of repositories. sync/git's Client satisfies it.
type Refs interface {
	// Refs gives the default branch and the refs below the prefixes; there may be more. It is
	// safe for concurrent use; its errors are classified faults.
	Refs(ctx context.Context, at git.Endpoint, prefixes ...string) (git.Refs, error)
	// MergeBase gives the commit where two commits parted; known is false when that cannot be
	// found out.
	MergeBase(ctx context.Context, at git.Endpoint, a, b string) (base string, known bool, err error)
}

// Commits are asked again about heads whose runs ended before they were planned, at every poll, so
// that they have to be cheap where nothing has changed. Source satisfies it.
type Commits interface {
	// Verify is nil for a commit that is signed as the repository asks for today, or when it
	// asks for nothing. A fault of the user's says that it is not; others, that it could not be
	// found out.
	Verify(ctx context.Context, repo *v1alpha1.TestRepository, commit string) error
	// Tree and Changed give what a plan needs; see [Source].
	Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error)
	Changed(ctx context.Context, repo *v1alpha1.TestRepository, base, head string) ([]string, bool, error)
}

// Reconciler polls TestRepositories.
type Reconciler struct {
	client.Client
	fluxctrl.Metrics

	// Access reads credentials and opens forges.
	Access *Access
	// Refs lists refs, and finds the merge bases that a forge does not tell.
	Refs Refs
	// Commits says whether what ended the run of a head is over.
	Commits Commits
	// Key signs the runs that are made, and knows them again.
	Key *proof.Key
	// ControllerName as in status.Prefix; may be empty.
	ControllerName string
	// Events records when a repository's condition changes.
	Events events.EventRecorder
}

// fieldOwner is the field manager of every write.
const fieldOwner = "assay-controller"

// Reconcile polls one repository. A poll that finds nothing new writes nothing.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (result ctrl.Result, err error) {
	start := time.Now()
	repo := &v1alpha1.TestRepository{}
	if err := r.Get(ctx, req.NamespacedName, repo); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !repo.DeletionTimestamp.IsZero() {
		// Its runs go with it: they are owned by it.
		return ctrl.Result{}, nil
	}
	defer func() {
		r.RecordSuspend(ctx, repo, repo.Spec.Suspend)
		r.RecordReadiness(ctx, repo)
		r.RecordDuration(ctx, repo, start)
	}()
	patcher := patch.NewSerialPatcher(repo, r.Client)
	if repo.Spec.Suspend {
		// Its runs may still go on: they speak only where it may.
		if err := r.checkContexts(ctx, repo); fault.ReasonOf(err) == fault.ContextTaken {
			setConditions(repo, err)
		} else {
			setSuspended(repo)
		}
		return ctrl.Result{}, r.patch(ctx, patcher, repo)
	}
	repeated, pollErr := r.poll(ctx, repo)
	if fault.ReasonOf(pollErr) == fault.AuthenticationFailed {
		// Perhaps a token that was kept is not good any more; the next poll gets another.
		r.Access.Forget(ctx, repo)
	}
	if apierrors.IsConflict(pollErr) || errors.Is(pollErr, context.Canceled) {
		return ctrl.Result{}, pollErr
	}
	if fault.ReasonOf(pollErr) == fault.HostBusy {
		// Not everything was asked, so there is nothing to say; but what was found is recorded.
		if err := patcher.Patch(ctx, repo, patch.WithFieldOwner(fieldOwner)); err != nil {
			return ctrl.Result{}, kerrors.FilterOut(err, apierrors.IsNotFound)
		}
		return next(repo, pollErr)
	}
	r.conclude(repo, repeated, pollErr)
	if err := r.patch(ctx, patcher, repo); err != nil {
		return ctrl.Result{}, err
	}
	return next(repo, pollErr)
}

// poll asks the host and the forge, creates what is called for, and records it in repo.Status. What
// is amiss beside, with the forge's API, Secrets or environments, keeps no head waiting: it is the
// error of the poll, after all is done that can be done.
//
// repeated says whether it came so far that what somebody asks for was looked at.
func (r *Reconciler) poll(ctx context.Context, repo *v1alpha1.TestRepository) (repeated bool, err error) {
	if err := r.checkContexts(ctx, repo); err != nil {
		return false, err
	}
	if err := checkTags(repo); err != nil {
		return false, err
	}
	at, forge, err := r.Access.Open(ctx, repo)
	if err != nil {
		return false, err
	}
	refs, err := r.Refs.Refs(ctx, at, wantedRefs(repo)...)
	if err != nil {
		return false, err
	}
	pulls, forgeErr := r.pulls(ctx, repo, at, forge, refs)
	d := decide(repo, refs, pulls)
	if err := r.carryOut(ctx, repo, d); err != nil {
		return false, errors.Join(err, forgeErr)
	}
	repo.Status.DefaultBranch, repo.Status.DefaultCommit = d.DefaultBranch, d.DefaultCommit
	repo.Status.Heads, repo.Status.Tag, repo.Status.PullRequests = d.Heads, d.Tag, d.PullRequests
	err = r.repeat(ctx, repo)
	return err == nil, errors.Join(err, forgeErr, r.Access.CheckSecrets(ctx, repo), r.checkEnvironments(ctx, repo))
}

// pulls asks the forge for what is open. Where that cannot be found out, nobody knows: not that
// there is nothing.
func (r *Reconciler) pulls(ctx context.Context, repo *v1alpha1.TestRepository,
	at git.Endpoint, forge providers.Forge, refs git.Refs,
) (openPulls, error) {
	if forge.PullRequests == nil || repo.Spec.PullRequests.From == v1alpha1.PullRequestsNone {
		return openPulls{known: true}, nil
	}
	open, err := forge.PullRequests.Open(ctx)
	if err == nil {
		err = r.findBases(ctx, repo, at, refs, open)
	}
	return openPulls{known: err == nil, open: open}, err
}

// conclude sets the conditions and tells of a change.
func (r *Reconciler) conclude(repo *v1alpha1.TestRepository, repeated bool, err error) {
	before := conditions.Get(repo, v1alpha1.ReadyCondition)
	setConditions(repo, err)
	after := conditions.Get(repo, v1alpha1.ReadyCondition)
	switch {
	case before != nil && before.Status == after.Status && before.Message == after.Message:
	case err != nil:
		r.Events.Eventf(repo, nil, corev1.EventTypeWarning, after.Reason, "Poll", "%s", after.Message)
	default:
		r.Events.Eventf(repo, nil, corev1.EventTypeNormal, after.Reason, "Poll", "%s", after.Message)
	}
	if !repeated {
		return // not all was done that a request asks for
	}
	if at := repo.Annotations[v1alpha1.ReconcileRequestAnnotation]; at != "" {
		repo.Status.LastHandledReconcileAt = at
	}
}

func (r *Reconciler) patch(ctx context.Context, patcher *patch.SerialPatcher, repo *v1alpha1.TestRepository) error {
	err := patcher.Patch(ctx, repo,
		patch.WithOwnedConditions{Conditions: []string{v1alpha1.ReadyCondition, v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition}},
		patch.WithStatusObservedGeneration{},
		patch.WithFieldOwner(fieldOwner))
	return kerrors.FilterOut(err, apierrors.IsNotFound) // it is several errors in one
}
