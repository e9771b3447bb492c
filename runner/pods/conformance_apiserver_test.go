//go:build apiserver

package pods_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/pods"
	"github.com/assay-dev/assay/runner/runnertest"
)

// server gives a client of a real API server, without nodes, and a namespace on it that enforces the restricted level.
func server(t *testing.T) (client.Client, client.Reader) {
	t.Helper()
	c := apiservertest.Start(t)
	create(t, c, restrictedNamespace("shop-staging"))
	return c, watched(t, c.Config)
}

func TestAPIServerConformance(t *testing.T) {
	c, seen := server(t)
	runs := 0
	runnertest.Test(t, func(*testing.T) runnertest.World {
		return runnertest.World{
			Executor: pods.New(c, seen, options),
			Attempt: func(_ *testing.T, suite string, _ int32) runner.Attempt {
				runs++
				return attempt(func(a *runner.Attempt) {
					a.Suite.Name, a.ID = suite, runner.AttemptOf(suite, 1)
					a.Run.UID = types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", runs))
				})
			},
			End: func(t *testing.T, a runner.Attempt, exitCode int32) { end(t, c, a, exitCode) },
			// What the environment's namespace forbids.
			Refuse: func(a *runner.Attempt) { a.Suite.Spec.RunAsUser = new(int64) },
		}
	})
}

// end plays the kubelet: it writes the status of a pod whose container ended.
func end(t *testing.T, c client.Client, a runner.Attempt, exitCode int32) {
	t.Helper()
	pod := pods.Build(a, options)
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
		t.Fatal(err)
	}
	now := metav1.NewTime(time.Now())
	pod.Status.Phase = corev1.PodSucceeded
	if exitCode != 0 {
		pod.Status.Phase = corev1.PodFailed
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "test", Image: "i", ImageID: "i", State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: exitCode, StartedAt: now, FinishedAt: now}}}}
	if err := c.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// TestAPIServerTakesEveryPod: what Build gives is valid and within the restricted level, in every shape.
func TestAPIServerTakesEveryPod(t *testing.T) {
	c, seen := server(t)
	for i, o := range []pods.Options{options, {Key: key, ExecImage: "e", GatewayURL: "https://g", GatewayCA: authority, Delivery: pods.InitContainer}} {
		for j, change := range []func(*runner.Attempt){
			nil,
			func(a *runner.Attempt) { a.Suite.Spec.Command = nil },
			func(a *runner.Attempt) { a.Suite.Spec.Timeout = &metav1.Duration{Duration: time.Millisecond} },
			func(a *runner.Attempt) {
				a.Suite.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}
			},
		} {
			a := attempt(change)
			a.ID.Number = int32(10*i + j + 1)
			if err := pods.New(c, seen, o).Start(t.Context(), a); err != nil {
				t.Errorf("options %d, change %d: %v", i, j, err)
			}
		}
	}
}

func TestAPIServerRefusals(t *testing.T) {
	c, seen := server(t)
	create(t, c, restrictedNamespace("full"))
	full := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "full", Name: "pods"}}
	full.Spec.Hard = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	create(t, c, full)
	full.Status.Hard = full.Spec.Hard // there is no controller to do so
	full.Status.Used = full.Spec.Hard
	if err := c.Status().Update(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		change func(*runner.Attempt)
		want   fault.Reason
	}{
		{"the quota is full", func(a *runner.Attempt) { a.Environment.Spec.Namespace = "full" }, fault.RateLimited},
		{"the namespace is not there", func(a *runner.Attempt) { a.Environment.Spec.Namespace = "nowhere" }, fault.PodRefused},
		{"a variable has no name", func(a *runner.Attempt) { a.Suite.Spec.Env = []corev1.EnvVar{{Name: ""}} }, fault.PodRefused},
		{"more is asked for than the limit", func(a *runner.Attempt) {
			a.Suite.Spec.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
			a.Suite.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}
		}, fault.PodRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := pods.New(c, seen, options).Start(t.Context(), attempt(tc.change))
			if fault.ReasonOf(err) != tc.want {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("the name is taken by somebody else", func(t *testing.T) {
		a := attempt(func(a *runner.Attempt) { a.ID.Number = 7 })
		foreign := pods.Build(a, options)
		foreign.Labels = nil
		create(t, c, foreign)
		if err := pods.New(c, seen, options).Start(t.Context(), a); fault.ReasonOf(err) != fault.Conflict {
			t.Errorf("got %v", err)
		}
	})
}
