package testsuite

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// ByHand tells people that a TestSuite which they applied themselves does nothing. It writes each such object once.
type ByHand struct {
	client.Client
	// Events records what is told.
	Events events.EventRecorder
}

// notRead is what stands on such an object.
const notRead = "runs come from Git: this object is not read; commit it under tests/ of a TestRepository"

// SetupWithManager registers the reconciler. Objects that show a catalog, and those that were told, do not reach it.
func (r *ByHand) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("testsuite-by-hand").
		For(&v1alpha1.TestSuite{}, builder.WithPredicates(predicate.NewPredicateFuncs(func(object client.Object) bool {
			suite, ok := object.(*v1alpha1.TestSuite)
			return ok && untold(suite)
		}))).
		Complete(r)
}

// Reconcile puts the condition on an object and records an event, unless the condition is there.
func (r *ByHand) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	suite := &v1alpha1.TestSuite{}
	if err := r.Get(ctx, req.NamespacedName, suite); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !untold(suite) {
		return ctrl.Result{}, nil
	}
	told := suite.DeepCopy()
	meta.SetStatusCondition(&told.Status.Conditions, metav1.Condition{
		Type: v1alpha1.FromGitCondition, Status: metav1.ConditionFalse, Reason: v1alpha1.MadeByHandReason,
		ObservedGeneration: suite.Generation, Message: notRead,
	})
	err := r.Status().Patch(ctx, told, unlessChanged(suite), client.FieldOwner(fieldOwner))
	switch {
	case apierrors.IsConflict(err): // somebody was faster, perhaps a repository that shows it now
		return ctrl.Result{RequeueAfter: 50 * time.Millisecond}, nil
	case err != nil:
		return ctrl.Result{}, client.IgnoreNotFound(fmt.Errorf("writing the status of the TestSuite %q: %w", suite.Name, err))
	}
	r.Events.Eventf(told, nil, corev1.EventTypeWarning, v1alpha1.MadeByHandReason, "Ignore", "%s", notRead)
	return ctrl.Result{}, nil
}

// untold says whether somebody made the object by hand and nobody has told him yet. What a repository owns or the
// controller marked shows a catalog, whatever somebody took away of the one or the other.
func untold(suite *v1alpha1.TestSuite) bool {
	shown := metav1.GetControllerOf(suite) != nil || suite.Labels[v1alpha1.ManagedByLabel] == v1alpha1.ManagedBy
	told := meta.FindStatusCondition(suite.Status.Conditions, v1alpha1.FromGitCondition) != nil
	return !shown && !told && suite.DeletionTimestamp.IsZero()
}
