package pods

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

var _ runner.Executor = (*Executor)(nil)

// Executor runs attempts as pods. It implements runner.Executor.
type Executor struct {
	client  client.Client
	cache   client.Reader
	options Options
	started *started
	looks   *looks
}

// New gives an executor that creates, reads and deletes pods through c, which must not be a cache, and sees what becomes
// of them in the cache, which has the indices of [Index]. What was created is seen at once, whether the cache has it
// or not.
func New(c client.Client, cache client.Reader, o Options) *Executor {
	return &Executor{client: c, cache: cache, options: o, started: newStarted(), looks: newLooks(o.Key)}
}

// Start creates the pod.
func (e *Executor) Start(ctx context.Context, attempt runner.Attempt) error {
	pod := Build(attempt, e.options)
	// It is noted before, so that its place is taken while the API server makes up its mind.
	e.started.add(pod)
	err := e.client.Create(ctx, pod)
	if apierrors.IsAlreadyExists(err) {
		err = e.sameRun(ctx, pod)
	} else if err != nil {
		err = refusal(pod, err)
	}
	if err != nil {
		e.started.remove(client.ObjectKeyFromObject(pod))
		return err
	}
	e.started.created(pod)
	return nil
}

// sameRun says whether the pod that is there already is the attempt's.
func (e *Executor) sameRun(ctx context.Context, pod *corev1.Pod) error {
	var found corev1.Pod
	err := e.client.Get(ctx, client.ObjectKeyFromObject(pod), &found)
	switch {
	case apierrors.IsNotFound(err):
		return &fault.Fault{Reason: fault.Conflict, Message: fmt.Sprintf("pod %q is there and cannot be read yet", pod.Name)}
	case err != nil:
		return refusal(pod, err)
	case !e.ours(&found):
		return fault.New(fault.Conflict, fault.Place{}, "delete it", "pod %q in namespace %q belongs to somebody else", pod.Name, pod.Namespace)
	}
	pod.UID, pod.CreationTimestamp = found.UID, found.CreationTimestamp
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
		doomed := &corev1.Pod{}
		doomed.Namespace, doomed.Name = list[i].Namespace, list[i].Name
		err := e.client.Delete(ctx, doomed, client.Preconditions{UID: &list[i].UID})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return refusal(doomed, err)
		}
		e.started.remove(client.ObjectKeyFromObject(doomed)) // perhaps no cache ever sees it
	}
	return nil
}

// List gives the run's attempts.
func (e *Executor) List(ctx context.Context, run *v1alpha1.TestRun) ([]runner.ObservedAttempt, error) {
	list, err := e.list(ctx, run)
	if err != nil {
		return nil, err
	}
	var attempts []runner.ObservedAttempt
	for i := range list {
		if seen := e.looks.at(&list[i]); seen.attempt {
			attempts = append(attempts, seen.observed)
		}
	}
	slices.SortFunc(attempts, func(a, b runner.ObservedAttempt) int {
		return cmp.Or(a.Compare(b.AttemptID), cmp.Compare(a.Pod, b.Pod))
	})
	return attempts, nil
}

// Used counts the environment's pods that have not ended, those included that are about to be created.
func (e *Executor) Used(ctx context.Context, env *v1alpha1.TestEnvironment) (map[string]int, error) {
	unseen, err := e.unseen(ctx, func(pod *corev1.Pod) bool {
		return pod.Namespace == env.Spec.Namespace && pod.Labels[v1alpha1.EnvironmentLabel] == env.Name
	})
	if err != nil {
		return nil, err
	}
	var list corev1.PodList
	if err := e.cache.List(ctx, &list, client.InNamespace(env.Spec.Namespace), live(env.Name)); err != nil {
		return nil, fault.New(fault.HostFailed, fault.Place{}, "", "the pods of environment %q cannot be counted: %w", env.Name, err)
	}
	used := map[string]int{}
	for _, pod := range together(e.keepOurs(list.Items), unseen) {
		used[pod.Labels[v1alpha1.RunNamespaceLabel]]++
	}
	return used, nil
}

// list finds the run's pods in all namespaces: the environment may have been changed or removed meanwhile. They are the
// cache's own and must not be changed.
func (e *Executor) list(ctx context.Context, run *v1alpha1.TestRun) ([]corev1.Pod, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	unseen, err := e.unseen(ctx, func(pod *corev1.Pod) bool { return pod.Labels[v1alpha1.RunUIDLabel] == string(run.UID) })
	if err != nil {
		return nil, err
	}
	var list corev1.PodList
	if err := e.cache.List(ctx, &list, ofRun(run.UID)); err != nil {
		return nil, fault.New(fault.HostFailed, fault.Place{}, "", "the pods of run %q cannot be listed: %w", run.Name, err)
	}
	return together(e.keepOurs(list.Items), unseen), nil
}

// keepOurs leaves out what somebody else made with our labels: it counts for nothing, and is not ours to remove.
func (e *Executor) keepOurs(pods []corev1.Pod) []corev1.Pod {
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return !e.ours(&pod) })
}

// ours says whether the pod was made by the controller, and is the very one where this process made it.
func (e *Executor) ours(pod *corev1.Pod) bool {
	return e.looks.at(pod).ours && e.started.first(pod)
}

// together gives each pod once: one that the cache did not have may have come to it before it was listed. So it is asked
// in this order, as one that came in between would be in neither otherwise.
func together(listed, unseen []corev1.Pod) []corev1.Pod {
	for _, pod := range unseen {
		there := func(p corev1.Pod) bool { return p.Namespace == pod.Namespace && p.Name == pod.Name }
		if !slices.ContainsFunc(listed, there) {
			listed = append(listed, pod)
		}
	}
	return listed
}

// unseen gives the pods that were started here and that the cache does not have yet, and forgets the others.
func (e *Executor) unseen(ctx context.Context, wanted func(*corev1.Pod) bool) ([]corev1.Pod, error) {
	var unseen []corev1.Pod
	for _, pod := range e.started.all(wanted) {
		key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
		var there corev1.Pod
		switch err := e.cache.Get(ctx, key, &there); {
		case apierrors.IsNotFound(err):
			unseen = append(unseen, *pod)
		case err != nil:
			return nil, fault.New(fault.HostFailed, fault.Place{}, "", "the pod %q cannot be read: %w", key, err)
		default:
			e.started.remove(key)
		}
	}
	return unseen, nil
}
