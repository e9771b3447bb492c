package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"code.gitea.io/sdk/gitea"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

const (
	pollInterval = 2 * time.Second
	suites       = 20
)

// bench is a tenant with a repository of twenty suites, which run one or all.
type bench struct {
	world  *world.World
	tenant *world.Tenant
	repo   *world.Repository
	object *v1alpha1.TestRepository
}

func newBench(ctx context.Context, w *world.World, name string) (*bench, error) {
	b := &bench{world: w}
	var err error
	if b.tenant, err = w.NewTenant(ctx, name, func(env *v1alpha1.TestEnvironment) { env.Spec.Limits.Pods = 2 * suites }); err != nil {
		return nil, err
	}
	if b.repo, err = w.NewRepository(name); err != nil {
		return nil, err
	}
	if _, err := b.repo.Push(ctx, "main", b.files()); err != nil {
		return nil, err
	}
	b.object, err = b.tenant.Sync(ctx, b.repo, func(r *v1alpha1.TestRepository) { r.Spec.Interval = metav1.Duration{Duration: pollInterval} })
	return b, err
}

// files are twenty suites that no push concerns but the first, whose path every round changes.
func (b *bench) files() map[string][]byte {
	files := map[string][]byte{
		"tests/overlays/" + b.tenant.Name + "/kustomization.yaml": []byte("resources: [../..]\n"),
		"change": []byte("0\n"),
	}
	kustomization := "resources:\n"
	for i := range suites {
		name := fmt.Sprintf("suite-%02d", i)
		kustomization += "- " + name + ".yaml\n"
		path := "change"
		if i > 0 {
			path = "never"
		}
		files["tests/"+name+".yaml"] = suiteOf(name, path)
	}
	files["tests/kustomization.yaml"] = []byte(kustomization)
	return files
}

// suiteOf gives the file of a suite that does nothing, and runs when a push changes the path.
func suiteOf(name, path string) []byte {
	return fmt.Appendf(nil, `apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: %s}
spec:
  tool: container
  image: %s
  command: ["true"]
  on: {push: {paths: [%s]}}
`, name, world.ShellImage, path)
}

func (b *bench) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return errors.Join(b.tenant.Remove(ctx), b.repo.Delete())
}

// round takes every figure once.
func (b *bench) round(ctx context.Context, n int, f *figures) error {
	if n == 0 {
		if err := b.settle(ctx); err != nil {
			return err
		}
	}
	pushed := time.Now()
	commit, err := b.repo.Push(ctx, "main", map[string][]byte{"change": fmt.Appendf(nil, "%d\n", n+1)})
	if err != nil {
		return err
	}
	for _, step := range []struct {
		final bool
		to    *[]float64
	}{{false, &f.pending}, {true, &f.final}} {
		if err := b.status(ctx, commit, step.final); err != nil {
			return err
		}
		*step.to = append(*step.to, time.Since(pushed).Seconds())
	}
	for _, step := range []struct {
		count int
		run   *[]float64
		bare  *[]float64
	}{{1, &f.one, &f.oneBare}, {suites, &f.twenty, &f.twentyBare}} {
		bare, err := b.barePods(ctx, n, step.count)
		if err != nil {
			return err
		}
		*step.bare = append(*step.bare, bare.Seconds())
		run, err := b.asRun(ctx, commit, n, step.count)
		if err != nil {
			return err
		}
		*step.run = append(*step.run, run.Seconds())
	}
	return nil
}

// settle waits for the run of the first push.
func (b *bench) settle(ctx context.Context) error {
	return world.Until(ctx, "the first push has its run", func(ctx context.Context) (bool, error) {
		var runs v1alpha1.TestRunList
		err := b.world.Client.List(ctx, &runs, client.InNamespace(b.tenant.Name))
		return len(runs.Items) == 1 && runs.Items[0].Status.State.Final(), err
	})
}

func (b *bench) status(ctx context.Context, commit string, final bool) error {
	return world.Until(ctx, "the commit has its status", func(context.Context) (bool, error) {
		statuses, err := b.repo.Statuses(commit)
		s, ok := statuses["assay/"+b.tenant.Name]
		return ok && (!final || s.State != gitea.StatusPending), err
	})
}

// asRun creates a run of the first count suites and waits for its end.
func (b *bench) asRun(ctx context.Context, commit string, round, count int) (time.Duration, error) {
	run := &v1alpha1.TestRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.tenant.Name, Name: fmt.Sprintf("asked-%d-%d", round, count)},
		Spec: v1alpha1.TestRunSpec{
			RepositoryRef: v1alpha1.LocalReference{Name: b.object.Name}, Environment: b.tenant.Name, Commit: commit,
			Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI},
		},
	}
	for i := range count {
		run.Spec.Suites = append(run.Spec.Suites, fmt.Sprintf("suite-%02d", i))
	}
	start := time.Now()
	if err := b.world.Client.Create(ctx, run); err != nil {
		return 0, err
	}
	err := world.Until(ctx, "the run has ended", func(ctx context.Context) (bool, error) {
		err := b.world.Client.Get(ctx, client.ObjectKeyFromObject(run), run)
		return run.Status.State.Final(), err
	})
	if err == nil && run.Status.State != v1alpha1.StatePassed {
		err = fmt.Errorf("the run is %s: %s", run.Status.State, run.Status.Message)
	}
	return time.Since(start), err
}

// barePods creates pods that do the same with nothing of Assay in them, and waits for their end.
func (b *bench) barePods(ctx context.Context, round, count int) (time.Duration, error) {
	start := time.Now()
	selector := client.MatchingLabels{"bench": fmt.Sprintf("bare-%d-%d", round, count)}
	for i := range count {
		if err := b.world.Client.Create(ctx, barePod(b.tenant.Name, fmt.Sprintf("bare-%d-%d-%d", round, count, i), selector)); err != nil {
			return 0, err
		}
	}
	err := world.Until(ctx, "the bare pods have ended", func(ctx context.Context) (bool, error) {
		var pods corev1.PodList
		if err := b.world.Client.List(ctx, &pods, client.InNamespace(b.tenant.Name), selector); err != nil {
			return false, err
		}
		ended := 0
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodFailed {
				return false, fmt.Errorf("the bare pod %q failed", pod.Name)
			}
			if pod.Status.Phase == corev1.PodSucceeded {
				ended++
			}
		}
		return ended == count, nil
	})
	return time.Since(start), err
}

func barePod(namespace, name string, labels map[string]string) *corev1.Pod {
	yes, no, user := true, false, int64(65532)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: &no,
			SecurityContext:              &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: "suite", Image: world.ShellImage, ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"true"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}
