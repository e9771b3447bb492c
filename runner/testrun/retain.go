package testrun

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Retention says how long what is finished stays, so that people can look at it.
type Retention struct {
	// Pods stay this long after their run has ended, for their logs.
	Pods time.Duration
	// Runs stay this long after they have ended.
	Runs time.Duration
}

// retain removes what has outlived its time, and says when to look again.
func (r *Reconciler) retain(ctx context.Context, run *v1alpha1.TestRun, now time.Time) (ctrl.Result, error) {
	ended := run.CreationTimestamp.Time
	if run.Status.CompletionTime != nil {
		ended = run.Status.CompletionTime.Time
	}
	if left := ended.Add(r.Retention.Pods).Sub(now); left > 0 {
		return ctrl.Result{RequeueAfter: left}, nil
	}
	if _, err := r.removePods(ctx, run); err != nil {
		return ctrl.Result{}, err
	}
	if left := ended.Add(r.Retention.Runs).Sub(now); left > 0 {
		return ctrl.Result{RequeueAfter: left}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(r.Delete(ctx, run, client.Preconditions{UID: &run.UID}))
}

// cleanUp removes the pods of a run that is being deleted, and then lets it go.
func (r *Reconciler) cleanUp(ctx context.Context, run *v1alpha1.TestRun) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(run, v1alpha1.RunFinalizer) {
		return ctrl.Result{}, nil
	}
	left, err := r.removePods(ctx, run)
	if err != nil {
		return ctrl.Result{}, err
	}
	if left > 0 {
		// The pods' own watch brings the run back when they are gone.
		return ctrl.Result{RequeueAfter: 10 * time.Second}, nil
	}
	controllerutil.RemoveFinalizer(run, v1alpha1.RunFinalizer)
	return settle(r.Update(ctx, run, client.FieldOwner(fieldOwner)))
}

// removePods stops every pod of the run and gives how many are still there.
func (r *Reconciler) removePods(ctx context.Context, run *v1alpha1.TestRun) (int, error) {
	attempts, err := r.Executor.List(ctx, run)
	if err != nil {
		return 0, fmt.Errorf("listing the attempts: %w", err)
	}
	for _, attempt := range attempts {
		if attempt.Stopping {
			continue
		}
		if err := r.Executor.Stop(ctx, run, attempt.Pod); err != nil {
			return 0, fmt.Errorf("stopping the pod %q: %w", attempt.Pod, err)
		}
	}
	return len(attempts), nil
}

// tellEnd leaves an event and counts the run.
func (r *Reconciler) tellEnd(ctx context.Context, run *v1alpha1.TestRun) {
	kind := corev1.EventTypeNormal
	if run.Status.State != v1alpha1.StatePassed {
		kind = corev1.EventTypeWarning
	}
	r.Events.Eventf(run, nil, kind, string(run.Status.State), "Run", "%s", run.Status.Message)
	ctrl.LoggerFrom(ctx).Info("run ended", "state", run.Status.State, "message", run.Status.Message)
	record(run)
}
