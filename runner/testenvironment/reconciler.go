// Package testenvironment says on each TestEnvironment whether it can be used: that its
// namespace is there and that the controller may create pods in it.
//
// In flow TestEnvironments and the API server's answers on access; out flow conditions. The
// package starts nothing and knows nothing of repositories.
package testenvironment

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	// recheck is how often an environment is looked at again: namespaces and rights change
	// without telling.
	recheck = time.Minute
	// missing is when to look again at one that lacks something: somebody is perhaps about to
	// make it.
	missing = 10 * time.Second
)

// Reconciler keeps the conditions of TestEnvironments.
type Reconciler struct {
	client.Client
	// Live reads namespaces, which are not cached.
	Live client.Reader
	// Grantee is who needs the right to run pods, for the remedy where it is missing.
	Grantee v1alpha1.Grantee
}

// SetupWithManager registers the reconciler.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("testenvironment").
		For(&v1alpha1.TestEnvironment{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}

// Reconcile looks at one environment.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	env := &v1alpha1.TestEnvironment{}
	if err := r.Get(ctx, req.NamespacedName, env); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := env.DeepCopy()
	err := r.usable(ctx, env)
	meta.SetStatusCondition(&env.Status.Conditions, readiness(env, err))
	env.Status.ObservedGeneration = env.Generation
	if !equality.Semantic.DeepEqual(before.Status, env.Status) {
		if err := r.Status().Patch(ctx, env, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing the status: %w", err)
		}
	}
	if err != nil && fault.Of(err) != fault.User {
		return ctrl.Result{}, err
	}
	if err != nil {
		return ctrl.Result{RequeueAfter: missing}, nil
	}
	return ctrl.Result{RequeueAfter: recheck}, nil
}

// readiness is the condition of an environment of which err is what keeps suites from running. Of
// one that is suspended it is unknown: nothing runs there.
func readiness(env *v1alpha1.TestEnvironment, err error) metav1.Condition {
	ready := metav1.Condition{Type: v1alpha1.ReadyCondition, ObservedGeneration: env.Generation}
	switch {
	case err != nil:
		return fault.Condition(v1alpha1.ReadyCondition, env.Generation, err)
	case env.Spec.Suspend:
		ready.Status, ready.Reason, ready.Message = metav1.ConditionUnknown, v1alpha1.SuspendedReason, "suspended"
	default:
		ready.Status, ready.Reason = metav1.ConditionTrue, v1alpha1.SucceededReason
		ready.Message = fmt.Sprintf("suites can run in the namespace %q", env.Spec.Namespace)
	}
	return ready
}

func (r *Reconciler) usable(ctx context.Context, env *v1alpha1.TestEnvironment) error {
	namespace := env.Spec.Namespace
	err := r.Live.Get(ctx, types.NamespacedName{Name: namespace}, &corev1.Namespace{})
	if apierrors.IsNotFound(err) {
		return fault.New(fault.InvalidSpec, fault.Place{Field: "spec.namespace"}, "create it", "there is no namespace %q", namespace)
	}
	if err != nil {
		return fmt.Errorf("reading the namespace %q: %w", namespace, err)
	}
	for _, verb := range []string{"create", "patch", "delete"} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: "pods"},
		}}
		if err := r.Create(ctx, review); err != nil {
			return fmt.Errorf("asking for the right to %s pods in %q: %w", verb, namespace, err)
		}
		if !review.Status.Allowed {
			return fault.New(fault.InvalidSpec, fault.Place{Field: "spec.namespace"},
				r.Grantee.Command(namespace, v1alpha1.EnvironmentRole),
				"the controller may not %s pods in the namespace %q", verb, namespace)
		}
	}
	return nil
}
