package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// atOnce is how many pods run at the same time, of a run as of bare ones.
const atOnce = 40

// measureMany prints what a run of so many suites costs beside as many bare pods.
func measureMany(ctx context.Context, w *world.World, name string, count int) (err error) {
	tenant, err := w.NewTenant(ctx, name, func(env *v1alpha1.TestEnvironment) { env.Spec.Limits.Pods = atOnce })
	if err != nil {
		return err
	}
	repo, err := w.NewRepository(name)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		err = errors.Join(err, tenant.Remove(ctx), repo.Delete())
	}()
	commit, err := repo.Push(ctx, "main", manyFiles(name, count))
	if err != nil {
		return err
	}
	object, err := tenant.Sync(ctx, repo, func(r *v1alpha1.TestRepository) { r.Spec.Interval = metav1.Duration{Duration: time.Hour} })
	if err != nil {
		return err
	}
	if _, err := tenant.FinalRun(ctx, commit, v1alpha1.CausePush); err != nil {
		return err
	}
	// A node's work grows with the pods that it keeps: each side begins without another's.
	if err := removePods(ctx, w, name, client.MatchingLabels{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d bare pods, %d at once\n", count, atOnce)
	bare, err := manyBare(ctx, w, name, count)
	if err != nil {
		return err
	}
	if err := removePods(ctx, w, name, manyLabels); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "a run of %d suites, %d at once\n", count, atOnce)
	before, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	took, err := manyAsRun(ctx, w, object, commit)
	if err != nil {
		return err
	}
	after, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	suites := float64(count)
	fmt.Printf("%3d suites, %d at once: run / bare pods   %8.2f   (%.1f s / %.1f s)\n", count, atOnce, took.Seconds()/bare.Seconds(), took.Seconds(), bare.Seconds())
	fmt.Printf("  for each suite: %.1f requests to the API server, %.1f KiB to and from it, %.1f ms of a processor\n",
		(after.requests-before.requests)/suites, (after.bytes-before.bytes)/suites/1024, (after.cpu-before.cpu)*1000/suites)
	return nil
}

// manyFiles are so many suites that run only when they are asked for.
func manyFiles(name string, count int) map[string][]byte {
	files := map[string][]byte{"tests/overlays/" + name + "/kustomization.yaml": []byte("resources: [../..]\n")}
	kustomization := "resources:\n"
	for i := range count {
		suite := fmt.Sprintf("suite-%04d", i)
		kustomization += "- " + suite + ".yaml\n"
		files["tests/"+suite+".yaml"] = suiteOf(suite, "never")
	}
	files["tests/kustomization.yaml"] = []byte(kustomization)
	return files
}

// manyAsRun runs every suite of the catalog and gives the time from the creation of the run to its end.
func manyAsRun(ctx context.Context, w *world.World, repo *v1alpha1.TestRepository, commit string) (time.Duration, error) {
	run := &v1alpha1.TestRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: repo.Namespace, Name: "many"},
		Spec: v1alpha1.TestRunSpec{
			RepositoryRef: v1alpha1.LocalReference{Name: repo.Name}, Environment: repo.Spec.Environments[0].Name, Commit: commit,
			Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI},
		},
	}
	ended, stop, err := watchMetadata(ctx, w, repo.Namespace, v1alpha1.GroupVersion.WithKind(v1alpha1.TestRunKind))
	if err != nil {
		return 0, err
	}
	defer stop()
	start := time.Now()
	if err := w.Client.Create(ctx, run); err != nil {
		return 0, err
	}
	for seen := range ended {
		if seen.Name == run.Name && v1alpha1.RunState(seen.Labels[v1alpha1.StateLabel]).Final() {
			break
		}
	}
	took := time.Since(start)
	if err := w.Client.Get(ctx, client.ObjectKeyFromObject(run), run); err != nil {
		return took, err
	}
	if run.Status.State != v1alpha1.StatePassed {
		return took, fmt.Errorf("the run is %s: %s", run.Status.State, run.Status.Message)
	}
	return took, nil
}

// manyBare creates bare pods, the next as soon as one of the limit has ended, and waits for the last.
func manyBare(ctx context.Context, w *world.World, namespace string, count int) (time.Duration, error) {
	succeeded := client.MatchingFields{"status.phase": string(corev1.PodSucceeded)}
	ended, stop, err := watchMetadata(ctx, w, namespace, corev1.SchemeGroupVersion.WithKind("Pod"), manyLabels, succeeded)
	if err != nil {
		return 0, err
	}
	defer stop()
	start := time.Now()
	names := map[string]bool{}
	for made := 0; ; {
		for ; made < count && made-len(names) < atOnce; made++ {
			if err := w.Client.Create(ctx, barePod(namespace, fmt.Sprintf("bare-%04d", made), manyLabels)); err != nil {
				return 0, err
			}
		}
		seen, ok := <-ended
		if !ok {
			return 0, errors.New("the watch on the bare pods has ended before them")
		}
		if names[seen.Name] = true; len(names) == count {
			return time.Since(start), nil
		}
	}
}

// watchMetadata tells of the objects that come or change, by their metadata alone: whoever waits must not be a part of
// what is measured.
func watchMetadata(ctx context.Context, w *world.World, namespace string, kind schema.GroupVersionKind, which ...client.ListOption) (<-chan *metav1.PartialObjectMetadata, func(), error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	watch, err := w.Client.Watch(ctx, list, append(which, client.InNamespace(namespace))...)
	if err != nil {
		return nil, nil, err
	}
	seen := make(chan *metav1.PartialObjectMetadata)
	go func() {
		defer close(seen)
		for event := range watch.ResultChan() {
			if object, ok := event.Object.(*metav1.PartialObjectMetadata); ok {
				select {
				case seen <- object:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return seen, watch.Stop, nil
}

var manyLabels = client.MatchingLabels{"bench": "many"}

// removePods removes them, and waits until the node has let go of the last.
func removePods(ctx context.Context, w *world.World, namespace string, labels client.MatchingLabels) error {
	if err := w.Client.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(namespace), labels); err != nil {
		return err
	}
	return world.Until(ctx, "the pods are gone", func(ctx context.Context) (bool, error) {
		left := &metav1.PartialObjectMetadataList{}
		left.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
		err := w.Client.List(ctx, left, client.InNamespace(namespace), labels)
		return err == nil && len(left.Items) == 0, err
	})
}
