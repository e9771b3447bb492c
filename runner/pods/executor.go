package pods

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

var _ runner.Executor = (*Executor)(nil)

// Executor runs attempts as pods. It implements runner.Executor.
type Executor struct {
	client  client.Client
	options Options
}

// New gives an executor that works through c, which may read from a cache: what it does not show yet is created again,
// and that is a no-op. It needs to list pods everywhere, and to get, create and delete them where environments run.
func New(c client.Client, o Options) *Executor { return &Executor{client: c, options: o} }

// Start creates the pod.
func (e *Executor) Start(ctx context.Context, attempt runner.Attempt) error {
	pod := Build(attempt, e.options)
	err := e.client.Create(ctx, pod)
	if apierrors.IsAlreadyExists(err) {
		return e.sameRun(ctx, pod)
	}
	if err != nil {
		return refusal(pod, err)
	}
	return nil
}

// sameRun says whether the pod that is there already is the attempt's. The cache may not have it yet; then nobody but
// us can be told from somebody else, and the caller comes back.
func (e *Executor) sameRun(ctx context.Context, pod *corev1.Pod) error {
	var found corev1.Pod
	err := e.client.Get(ctx, client.ObjectKeyFromObject(pod), &found)
	switch {
	case apierrors.IsNotFound(err):
		return &fault.Fault{Reason: fault.Conflict, Message: fmt.Sprintf("pod %q is there and cannot be read yet", pod.Name)}
	case err != nil:
		return refusal(pod, err)
	case found.Labels[v1alpha1.RunUIDLabel] != pod.Labels[v1alpha1.RunUIDLabel]:
		return fault.New(fault.Conflict, fault.Place{}, "delete it", "pod %q in namespace %q belongs to somebody else", pod.Name, pod.Namespace)
	}
	return nil
}

// Stop deletes the pod.
func (e *Executor) Stop(ctx context.Context, run *v1alpha1.TestRun, pod string) error {
	list, err := e.list(ctx, run)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Name != pod || list[i].DeletionTimestamp != nil {
			continue
		}
		uid := list[i].UID
		err := e.client.Delete(ctx, &list[i], client.Preconditions{UID: &uid})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return refusal(&list[i], err)
		}
	}
	return nil
}

// List reads the pods of the run.
func (e *Executor) List(ctx context.Context, run *v1alpha1.TestRun) ([]runner.ObservedAttempt, error) {
	list, err := e.list(ctx, run)
	if err != nil {
		return nil, err
	}
	var attempts []runner.ObservedAttempt
	for i := range list {
		if o, ok := Observe(&list[i]); ok {
			attempts = append(attempts, o)
		}
	}
	slices.SortFunc(attempts, func(a, b runner.ObservedAttempt) int {
		return cmp.Or(a.Compare(b.AttemptID), cmp.Compare(a.Pod, b.Pod))
	})
	return attempts, nil
}

// list finds the run's pods in all namespaces: the environment may have been changed or removed meanwhile.
func (e *Executor) list(ctx context.Context, run *v1alpha1.TestRun) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := e.client.List(ctx, &list, client.MatchingLabels{
		v1alpha1.ManagedByLabel: v1alpha1.ManagedBy,
		v1alpha1.RunUIDLabel:    string(run.UID),
	})
	if err != nil {
		return nil, fault.New(fault.HostFailed, fault.Place{}, "", "the pods of run %q cannot be listed: %w", run.Name, err)
	}
	return list.Items, nil
}
