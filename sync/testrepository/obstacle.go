package testrepository

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// obstacle says whether what ended a run before it was planned is over. A fault of the user's says
// that it is not; other errors, that it could not be found out.
type obstacle func(r *Reconciler, ctx context.Context, repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) error

// obstacles are what ends a run for a reason outside its commit, with how to see that it is over.
// What is not here ends a run for good: the commit itself would have to be another.
var obstacles = map[string]obstacle{
	v1alpha1.SupersededReason:            (*Reconciler).gone,
	string(fault.SignatureInvalid):       (*Reconciler).signed,
	string(fault.EnvironmentNotFound):    (*Reconciler).admits,
	string(fault.EnvironmentNotAdmitted): (*Reconciler).admits,
	string(fault.SecretInvalid):          (*Reconciler).readable,
	string(fault.AuthenticationFailed):   (*Reconciler).readable,
	string(fault.HostNotTrusted):         (*Reconciler).readable,
	string(fault.RepositoryNotFound):     (*Reconciler).readable,
	string(fault.RefNotFound):            (*Reconciler).readable,
	string(fault.HostUnreachable):        (*Reconciler).readable,
	string(fault.HostFailed):             (*Reconciler).readable,
	string(fault.HostBusy):               (*Reconciler).readable,
	string(fault.RateLimited):            (*Reconciler).readable,
}

// obstacleOf gives the reason for which a run says nothing of its head; empty when it has a plan,
// or an end of another kind.
func obstacleOf(run *v1alpha1.TestRun) string {
	if superseded(run) {
		return v1alpha1.SupersededReason
	}
	planned := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.PlannedCondition)
	if run.Status.State == v1alpha1.StateErrored && planned != nil && planned.Status == metav1.ConditionFalse {
		return planned.Reason
	}
	return ""
}

// superseded says whether a run was cancelled for another head, and not by somebody.
func superseded(run *v1alpha1.TestRun) bool {
	ready := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.ReadyCondition)
	return run.Status.State == v1alpha1.StateCancelled && ready != nil && ready.Reason == v1alpha1.SupersededReason
}

// gone is for a run that was superseded: its head is that of today, so the other is gone.
func (*Reconciler) gone(context.Context, *v1alpha1.TestRepository, *v1alpha1.TestRun) error {
	return nil
}

// signed asks for the keys of today.
func (r *Reconciler) signed(ctx context.Context, repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) error {
	return r.Commits.Verify(ctx, repo, run.Spec.Commit)
}

func (r *Reconciler) admits(ctx context.Context, repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) error {
	return r.admitted(ctx, repo, run.Spec.Environment)
}

// readable asks the host for all that a plan needs of it. One commit that it does not give out is no
// reason to poll the repository less often.
func (r *Reconciler) readable(ctx context.Context, repo *v1alpha1.TestRepository, run *v1alpha1.TestRun) error {
	err := r.Commits.Verify(ctx, repo, run.Spec.Commit)
	if err == nil {
		_, err = r.Commits.Tree(ctx, repo, run.Spec.Commit, repo.TestsPath())
	}
	if err == nil && run.Spec.Base != "" {
		_, _, err = r.Commits.Changed(ctx, repo, run.Spec.Base, run.Spec.Commit)
	}
	if err == nil || ctx.Err() != nil || fault.Of(err) == fault.User {
		return err
	}
	ctrl.LoggerFrom(ctx).V(1).Info("a head cannot be read still", "commit", run.Spec.Commit, "fault", err.Error())
	return fault.New(fault.RefNotFound, fault.Place{Commit: run.Spec.Commit}, "", "it cannot be read still: %w", err)
}
