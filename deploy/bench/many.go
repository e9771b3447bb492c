package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	fmt.Fprintf(os.Stderr, "%d bare pods, %d at once\n", count, atOnce)
	bare, err := manyBare(ctx, w, name, count)
	if err != nil {
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
	start := time.Now()
	if err := w.Client.Create(ctx, run); err != nil {
		return 0, err
	}
	// Its labels are enough to ask for: a status of hundreds of suites ten times a second would be measured, too.
	seen := &metav1.PartialObjectMetadata{}
	seen.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.TestRunKind))
	err := world.Until(ctx, "the run has ended", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(run), seen)
		return v1alpha1.RunState(seen.Labels[v1alpha1.StateLabel]).Final(), err
	})
	took := time.Since(start)
	if err == nil {
		err = w.Client.Get(ctx, client.ObjectKeyFromObject(run), run)
	}
	if err == nil && run.Status.State != v1alpha1.StatePassed {
		err = fmt.Errorf("the run is %s: %s", run.Status.State, run.Status.Message)
	}
	return took, err
}

// manyBare creates bare pods, the next as soon as one of the limit has ended, and waits for the last.
func manyBare(ctx context.Context, w *world.World, namespace string, count int) (time.Duration, error) {
	start := time.Now()
	labels := client.MatchingLabels{"bench": "many"}
	made := 0
	err := world.Until(ctx, "the bare pods have ended", func(ctx context.Context) (bool, error) {
		ended, err := countPods(ctx, w, namespace, labels, corev1.PodSucceeded)
		if err != nil {
			return false, err
		}
		for ; made < count && made-ended < atOnce; made++ {
			if err := w.Client.Create(ctx, barePod(namespace, fmt.Sprintf("bare-%04d", made), labels)); err != nil {
				return false, err
			}
		}
		return ended == count, nil
	})
	return time.Since(start), err
}

// countPods counts the pods of a phase by their metadata alone.
func countPods(ctx context.Context, w *world.World, namespace string, labels client.MatchingLabels, phase corev1.PodPhase) (int, error) {
	pods := &metav1.PartialObjectMetadataList{}
	pods.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
	err := w.Client.List(ctx, pods, client.InNamespace(namespace), labels, client.MatchingFields{"status.phase": string(phase)})
	return len(pods.Items), err
}
