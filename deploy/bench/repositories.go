package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

const (
	// calmInterval is that of many repositories, none of which has anything new.
	calmInterval = time.Minute
	// calmFor is how long their polls are watched.
	calmFor = 3 * calmInterval
)

// measureRepositories prints what the controller uses while it polls so many TestRepositories
// in which nothing is new. All have one URL: what a host does about it is its affair, and
// deploy/bench/fleet measures it.
func measureRepositories(ctx context.Context, w *world.World, name string, count int) (err error) {
	tenant, err := w.NewTenant(ctx, name, nil)
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
	if _, err := repo.Push(ctx, "main", calmFiles(name)); err != nil {
		return err
	}
	before, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	start := time.Now()
	for i := range count {
		_, err := tenant.Sync(ctx, repo, func(r *v1alpha1.TestRepository) {
			r.Name = fmt.Sprintf("calm-%04d", i)
			r.Spec.Provider = v1alpha1.ProviderPlain
			r.Spec.Interval = metav1.Duration{Duration: calmInterval}
		})
		if err != nil {
			return err
		}
	}
	if err := untilCalm(ctx, w, tenant, count); err != nil {
		return err
	}
	settled, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d repositories stand after %s; their polls are watched for %s\n", count, time.Since(start).Round(time.Second), calmFor)
	select {
	case <-time.After(calmFor):
	case <-ctx.Done():
		return ctx.Err()
	}
	calm, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	fmt.Printf("%d repositories polled each %s, nothing new\n", count, calmInterval)
	fmt.Printf("  controller                             %8.3f   processors\n", (calm.cpu-settled.cpu)/calmFor.Seconds())
	fmt.Printf("  requests to the API server             %8.2f   for each poll\n", (calm.requests-settled.requests)/float64(count)/(calmFor.Seconds()/calmInterval.Seconds()))
	fmt.Printf("  controller memory, before and with     %5.0f MiB, %.0f MiB\n", before.memory, calm.memory)
	return nil
}

// calmFiles are a suite that no push concerns.
func calmFiles(environment string) map[string][]byte {
	return map[string][]byte{
		"tests/overlays/" + environment + "/kustomization.yaml": []byte("resources: [../../calm.yaml]\n"),
		"tests/calm.yaml": []byte(`apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: calm}
spec:
  image: ` + world.ShellImage + `
  on: {pullRequest: {}}
`),
	}
}

// untilCalm waits for each repository to be polled, and for the run of its head to end.
func untilCalm(ctx context.Context, w *world.World, tenant *world.Tenant, count int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	// Lists of thousands are not what an API server should be busy with here.
	err := wait.PollUntilContextCancel(ctx, 5*time.Second, false, func(ctx context.Context) (bool, error) {
		var repositories v1alpha1.TestRepositoryList
		var runs v1alpha1.TestRunList
		err := errors.Join(w.Client.List(ctx, &repositories, client.InNamespace(tenant.Name)), w.Client.List(ctx, &runs, client.InNamespace(tenant.Name)))
		if err != nil {
			return false, err
		}
		ready, final := 0, 0
		for i := range repositories.Items {
			if conditions.IsReady(&repositories.Items[i]) && len(repositories.Items[i].Status.Catalogs) > 0 {
				ready++
			}
		}
		for i := range runs.Items {
			if runs.Items[i].Status.State.Final() {
				final++
			}
		}
		return ready == count && final == count, nil
	})
	if err != nil {
		return fmt.Errorf("waiting until %d repositories are polled and their runs are final: %w", count, err)
	}
	return nil
}
