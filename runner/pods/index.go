package pods

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// The indices: ended pods are kept for their logs, so that a cache holds many more than run.
const (
	// byRun is the UID of the TestRun.
	byRun = "assay.run-uid"
	// liveByEnvironment is the name of the TestEnvironment, for pods that have not ended.
	liveByEnvironment = "assay.live-environment"
)

// Indices gives for each index what it has of a pod.
func Indices() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		byRun: func(o client.Object) []string { return []string{o.GetLabels()[v1alpha1.RunUIDLabel]} },
		liveByEnvironment: func(o client.Object) []string {
			if pod, ok := o.(*corev1.Pod); ok && !Ended(pod) {
				return []string{pod.Labels[v1alpha1.EnvironmentLabel]}
			}
			return nil
		},
	}
}

// Index adds the indices to a cache, once, before it starts.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for name, values := range Indices() {
		if err := indexer.IndexField(ctx, &corev1.Pod{}, name, values); err != nil {
			return fmt.Errorf("indexing pods by %s: %w", name, err)
		}
	}
	return nil
}

// Ended says whether the pod takes no place of its environment any more.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// ofRun lists the pods of a run, and live those of an environment that have not ended. They are the cache's own and
// must not be changed.
func ofRun(uid types.UID) client.ListOption { return listed{byRun, string(uid)} }

func live(environment string) client.ListOption { return listed{liveByEnvironment, environment} }

type listed struct{ index, value string }

func (l listed) ApplyToList(o *client.ListOptions) {
	o.ApplyOptions([]client.ListOption{
		client.MatchingFields{l.index: l.value},
		client.MatchingLabels{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy},
		client.UnsafeDisableDeepCopy,
	})
}
