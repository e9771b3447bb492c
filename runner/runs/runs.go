// Package runs finds TestRuns in a cache without going through all of them, and creates those that are the controller's
// own: runs are kept for days, so that a cluster with hundreds of repositories has tens of thousands.
//
// In flow a repository or an environment; out flow the options of a list. Whoever lists has to have the indices, see
// [Index]. Whoever creates has the key by which they are known again, see [Make]. The package knows nothing of what a
// run is about.
package runs

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// The indices: runs by what they say, whatever their labels are.
const (
	// byRepository is the name of the TestRepository.
	byRepository = "spec.repositoryRef.name"
	// liveByEnvironment is the name of the TestEnvironment, for runs that are not final.
	liveByEnvironment = "live.spec.environment"
)

// Indices gives for each index what it has of a run.
func Indices() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		byRepository: func(o client.Object) []string {
			if run, ok := o.(*v1alpha1.TestRun); ok {
				return []string{run.Spec.RepositoryRef.Name}
			}
			return nil
		},
		liveByEnvironment: func(o client.Object) []string {
			if run, ok := o.(*v1alpha1.TestRun); ok && !run.Status.State.Final() {
				return []string{run.Spec.Environment}
			}
			return nil
		},
	}
}

// Index adds the indices to a cache, once, before it starts.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for name, values := range Indices() {
		if err := indexer.IndexField(ctx, &v1alpha1.TestRun{}, name, values); err != nil {
			return fmt.Errorf("indexing TestRuns by %s: %w", name, err)
		}
	}
	return nil
}

// OfRepository lists the runs of a TestRepository. They are the cache's own and must not be
// changed.
func OfRepository(namespace, name string) client.ListOption {
	return listed{client.InNamespace(namespace), client.MatchingFields{byRepository: name}, client.UnsafeDisableDeepCopy}
}

// Live lists the runs in an environment that are not final, of whatever repository. They are
// the cache's own and must not be changed.
func Live(environment string) client.ListOption {
	return listed{client.MatchingFields{liveByEnvironment: environment}, client.UnsafeDisableDeepCopy}
}

type listed []client.ListOption

func (l listed) ApplyToList(o *client.ListOptions) { o.ApplyOptions(l) }
