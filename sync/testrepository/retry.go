package testrepository

import (
	"math/rand/v2"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/jitter"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// setConditions says how the last poll ended, and what comes next when that is not the next
// poll at the interval. The same end twice changes nothing, so that nobody is woken: messages
// hold no times or counts, and a condition that stays is not taken away in between.
func setConditions(repo *v1alpha1.TestRepository, err error) {
	if err == nil {
		conditions.Delete(repo, v1alpha1.StalledCondition)
		conditions.Delete(repo, v1alpha1.ReconcilingCondition)
		conditions.MarkTrue(repo, v1alpha1.ReadyCondition, v1alpha1.SucceededReason, "%s", found(repo))
		return
	}
	ready := fault.Condition(v1alpha1.ReadyCondition, repo.Generation, err)
	conditions.Set(repo, &ready)
	switch again := retry(err); {
	case fault.ReasonOf(err) == fault.InvalidSpec || fault.ReasonOf(err) == fault.ContextTaken:
		conditions.MarkStalled(repo, ready.Reason, "%s", ready.Message)
	case again != "":
		conditions.MarkReconciling(repo, v1alpha1.ProgressingWithRetryReason, "%s", again)
	default:
		conditions.Delete(repo, v1alpha1.StalledCondition)
		conditions.Delete(repo, v1alpha1.ReconcilingCondition)
	}
}

// found says what a poll came to that went well.
func found(repo *v1alpha1.TestRepository) string {
	if repo.Status.DefaultCommit == "" && len(repo.Status.Heads) == 0 && repo.Status.Tag == nil {
		return "the repository is empty: waiting for the first push"
	}
	return "every head of " + repo.Spec.URL + " has its runs"
}

// setSuspended is for a repository that nobody polls: whether its heads have their runs is unknown.
func setSuspended(repo *v1alpha1.TestRepository) {
	conditions.Delete(repo, v1alpha1.ReconcilingCondition)
	conditions.Delete(repo, v1alpha1.StalledCondition)
	conditions.MarkUnknown(repo, v1alpha1.ReadyCondition, v1alpha1.SuspendedReason, "suspended")
}

// retry says when a failed poll is tried again; empty when that is the next poll.
func retry(err error) string {
	switch {
	case fault.Of(err) == fault.User:
		return ""
	case fault.RetryAfter(err) > 0:
		return "tried again when the host said it may be asked, and not before the interval"
	}
	return "tried again with a back-off that grows up to 15 min"
}

// secretAgain is when to look again, at the latest, at a Secret that is missing or no good: that
// costs the host nothing, and somebody is perhaps about to mend it.
const secretAgain = time.Minute

// next says when to poll again: at the interval; at the host's word; or, when the host does
// not answer, by the queue's back-off (750 ms to 15 min), so that broken repositories do not
// crowd out the others.
func next(repo *v1alpha1.TestRepository, err error) (ctrl.Result, error) {
	interval := repo.Spec.Interval.Duration
	if err != nil && fault.ReasonOf(err) == fault.SecretInvalid {
		interval = min(interval, secretAgain)
	}
	if err == nil || fault.Of(err) == fault.User {
		return ctrl.Result{RequeueAfter: jitter.JitteredIntervalDuration(interval)}, nil
	}
	after := fault.RetryAfter(err)
	if fault.ReasonOf(err) == fault.HostBusy { // with others, which come back spread out
		return ctrl.Result{RequeueAfter: after + rand.N(max(interval, time.Second))}, nil
	}
	if after > 0 {
		// All repositories of the host wait for the same moment: they come back over an interval.
		return ctrl.Result{RequeueAfter: max(after+rand.N(max(interval, time.Second)), interval)}, nil
	}
	return ctrl.Result{}, err
}
