//go:build e2e

package pods_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/pods"
	"github.com/assay-dev/assay/runner/report"
	"github.com/assay-dev/assay/runner/runnertest"
)

// shell is an image with sh for an entry point, as deploy/dev/install.sh loads it.
const shell = "assay.dev/tools/shell:dev"

// place is the cluster that KUBECONFIG names, with a namespace of the test's own.
type place struct {
	client    client.Client
	seen      client.Reader
	namespace string
}

func newPlace(t *testing.T) place {
	t.Helper()
	rest, err := config.GetConfig()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(rest, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := place{client: c, seen: watched(t, rest), namespace: "e2e-pods-" + strings.ToLower(rand.Text()[:6])}
	create(t, c, restrictedNamespace(p.namespace))
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), restrictedNamespace(p.namespace)); err != nil {
			t.Error(err)
		}
	})
	return p
}

// attempt gives an unwrapped attempt of a new run: sh with the script.
func (p place) attempt(suite, script string) runner.Attempt {
	return attempt(func(a *runner.Attempt) {
		a.Environment.Spec.Namespace = p.namespace
		a.Run.UID = types.UID(uuid.NewUUID())
		a.Suite.Name, a.ID = suite, runner.AttemptOf(suite, 1)
		a.Suite.Spec = v1alpha1.TestSuiteSpec{Image: shell, ImagePullPolicy: corev1.PullIfNotPresent, Args: []string{"-c", script}}
		a.ContentDigest = ""
	})
}

func TestE2EConformance(t *testing.T) {
	p := newPlace(t)
	runnertest.Test(t, func(*testing.T) runnertest.World {
		return runnertest.World{
			Executor: pods.New(p.client, p.seen, options),
			Attempt: func(_ *testing.T, suite string, exitCode int32) runner.Attempt {
				return p.attempt(suite, fmt.Sprintf("exit %d", exitCode))
			},
			Refuse:   func(a *runner.Attempt) { a.Suite.Spec.RunAsUser = new(int64) },
			Patience: 2 * time.Minute,
		}
	})
}

// execImage holds assay-exec: the image of the controller that is installed, or what EXEC_IMAGE says.
func (p place) execImage(t *testing.T) string {
	t.Helper()
	if image := os.Getenv("EXEC_IMAGE"); image != "" {
		return image
	}
	var d appsv1.Deployment
	if err := p.client.Get(t.Context(), client.ObjectKey{Namespace: "assay-system", Name: "assay-controller"}, &d); err != nil {
		t.Fatalf("install Assay first, as deploy/dev/install.sh does: %v", err)
	}
	return d.Spec.Template.Spec.Containers[0].Image
}

// TestE2EWrapped: both deliveries run a command below assay-exec. The gateway does not answer, so that the outcome has
// to come by the termination message.
func TestE2EWrapped(t *testing.T) {
	p := newPlace(t)
	image := p.execImage(t)
	for _, delivery := range []pods.Delivery{pods.ImageVolume, pods.InitContainer} {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			e := pods.New(p.client, p.seen, pods.Options{Key: key, ExecImage: image, Delivery: delivery, GatewayURL: "http://127.0.0.1:1"})
			a := p.attempt("tap", "")
			a.Suite.Spec.Command, a.Suite.Spec.Args = []string{"sh", "-c", "echo 1..2; echo ok 1; echo not ok 2 - pays; touch /tmp/x $HOME/x x; id -u"}, nil
			a.Suite.Spec.Report = &v1alpha1.ReportSource{Format: v1alpha1.ReportTAP, Path: "-"}
			o := p.ended(t, e, a)
			want := report.Counts{Total: 2, Passed: 1, Failed: 1}
			if o.Outcome == nil || o.Outcome.Counts != want || o.Outcome.ExitCode != 0 || *o.ExitCode == 0 || !strings.Contains(o.Outcome.Output, "65532") {
				t.Errorf("%+v, outcome %+v", o, o.Outcome)
			}
		})
	}
}

// TestE2EAccounts: how a real node accounts for what goes wrong.
func TestE2EAccounts(t *testing.T) {
	p := newPlace(t)
	e := pods.New(p.client, p.seen, options)
	for _, c := range []struct {
		name    string
		change  func(*runner.Attempt)
		reason  fault.Reason
		waiting string
	}{
		{"an image that is not there", func(a *runner.Attempt) { a.Suite.Spec.Image = "assay.dev/nothing:none" }, "", "ErrImageNeverPull"},
		{"a name that is none", func(a *runner.Attempt) { a.Suite.Spec.Image = "Not A Name" }, "", "InvalidImageName"},
		{"a secret that is not there", func(a *runner.Attempt) {
			a.Suite.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}}}}
		}, "", "CreateContainerConfigError"},
		{"more than its deadline", func(a *runner.Attempt) {
			a.Suite.Spec.Args = []string{"-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"}
			a.Suite.Spec.Timeout = &metav1.Duration{Duration: time.Millisecond}
			a.Environment.Spec.Limits.StartTimeout = &metav1.Duration{Duration: time.Millisecond}
		}, fault.TimedOut, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := p.attempt("a", "exit 0")
			a.Suite.Spec.ImagePullPolicy = corev1.PullNever
			c.change(&a)
			if c.waiting == "" {
				if o := p.ended(t, e, a); o.Reason != c.reason {
					t.Errorf("%+v", o)
				}
				return
			}
			p.until(t, e, a, func(o runner.ObservedAttempt) bool { return o.Phase == runner.PhasePending && o.Waiting == c.waiting })
		})
	}
}

func (p place) ended(t *testing.T, e *pods.Executor, a runner.Attempt) runner.ObservedAttempt {
	t.Helper()
	return p.until(t, e, a, func(o runner.ObservedAttempt) bool { return o.Phase == runner.PhaseEnded })
}

// until starts the attempt and waits until it is as wanted.
func (p place) until(t *testing.T, e *pods.Executor, a runner.Attempt, holds func(runner.ObservedAttempt) bool) runner.ObservedAttempt {
	t.Helper()
	if err := e.Start(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := e.List(ctx, a.Run)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && holds(list[0]) {
			return list[0]
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it does not come to it: %+v", list)
		}
	}
}
