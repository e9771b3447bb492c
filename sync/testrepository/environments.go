package testrepository

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/runtime/conditions"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// checkEnvironments says which of the repository's environments do not exist or do not admit it.
func (r *Reconciler) checkEnvironments(ctx context.Context, repo *v1alpha1.TestRepository) error {
	var amiss []error
	for _, name := range environments(repo) {
		amiss = append(amiss, fault.Here(r.admitted(ctx, repo, name)))
	}
	return errors.Join(amiss...)
}

// admitted is nil when the repository may run in the environment.
func (r *Reconciler) admitted(ctx context.Context, repo *v1alpha1.TestRepository, name string) error {
	env := &v1alpha1.TestEnvironment{}
	err := r.Get(ctx, types.NamespacedName{Name: name}, env)
	switch {
	case apierrors.IsNotFound(err):
		env = nil
	case err != nil:
		return fmt.Errorf("reading the TestEnvironment %q: %w", name, err)
	}
	return runner.Admitted(repo, name, env)
}

// waitingFor are the repositories that an environment which was made or changed is news for: it may
// be what they lack.
func (r *Reconciler) waitingFor(ctx context.Context, environment client.Object) []reconcile.Request {
	var all v1alpha1.TestRepositoryList
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing TestRepositories")
		return nil
	}
	lacking := []string{string(fault.EnvironmentNotFound), string(fault.EnvironmentNotAdmitted)}
	var requests []reconcile.Request
	for i := range all.Items {
		repo := &all.Items[i]
		_, named := repo.OverlayFor(environment.GetName())
		if named && slices.Contains(lacking, conditions.GetReason(repo, v1alpha1.ReadyCondition)) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(repo)})
		}
	}
	return requests
}
