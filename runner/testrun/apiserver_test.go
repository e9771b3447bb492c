//go:build apiserver

package testrun

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
	"github.com/assay-dev/assay/runner/memory"
	"github.com/assay-dev/assay/runner/report"
	"github.com/assay-dev/assay/runner/slots"
)

// contested is a client whose next writes come too late: somebody else wrote first, about what
// the reconciler's watch does not tell.
type contested struct {
	client.Client
	conflicts *atomic.Int32
}

func (c contested) conflict(o client.Object) error {
	if c.conflicts.Add(-1) < 0 {
		return nil
	}
	return apierrors.NewConflict(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "testruns"}, o.GetName(), errors.New("contested"))
}

func (c contested) Update(ctx context.Context, o client.Object, options ...client.UpdateOption) error {
	if err := c.conflict(o); err != nil {
		return err
	}
	return c.Client.Update(ctx, o, options...)
}

func (c contested) Status() client.SubResourceWriter { return contestedStatus{c.Client.Status(), c} }

type contestedStatus struct {
	client.SubResourceWriter
	contested contested
}

func (c contestedStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	if err := c.contested.conflict(o); err != nil {
		return err
	}
	return c.SubResourceWriter.Patch(ctx, o, patch, options...)
}

// stage is the reconciler on a real API server, with an executor whose pods a test ends.
type stage struct {
	*apiservertest.Server
	executor *memory.Executor
	repo     *v1alpha1.TestRepository
	start    func() (stop func())
	// cached is the client of the manager that was started last.
	cached client.Client
	// conflicts is how many of the reconciler's next writes are refused.
	conflicts atomic.Int32
}

func newStage(t *testing.T, source catalogstest.Commits) *stage {
	t.Helper()
	l := &stage{Server: apiservertest.Start(t), executor: memory.New(time.Now, nil)}
	l.start = func() func() {
		return l.Run(t, l.Config, func(_ context.Context, mgr ctrl.Manager) error {
			l.cached = mgr.GetClient()
			rendered := catalogs.New(source, 0)
			contents, err := NewContents(mgr.GetClient(), source, rendered, t.TempDir(), 0)
			if err != nil {
				return err
			}
			return (&Reconciler{
				Client: contested{mgr.GetClient(), &l.conflicts}, Source: source, Catalogs: rendered, Contents: contents,
				Executor: l.executor, Slots: slots.New(nil), Key: key, Admission: admission{}, Events: mgr.GetEventRecorder("test"), Retention: Retention{Pods: time.Hour, Runs: time.Hour},
			}).SetupWithManager(mgr, Options{})
		})
	}
	l.repo = &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop"},
		Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}}},
	}
	l.Make(t, l.repo, &v1alpha1.TestEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: "staging"},
		Spec:       v1alpha1.TestEnvironmentSpec{Namespace: "default", Repositories: []v1alpha1.RepositoryAdmission{{Namespace: "default", Name: "shop"}}},
	})
	return l
}

func (l *stage) newRun(t *testing.T, commit, environment string) *v1alpha1.TestRun {
	t.Helper()
	run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: environment, Commit: commit, Branch: "main", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}, "")
	key.SignRun(run)
	l.Make(t, run)
	return run
}

// untilCached waits for the reconciler's cache to know the object as it is.
func (l *stage) untilCached(t *testing.T, o client.Object) {
	t.Helper()
	version := o.GetResourceVersion()
	apiservertest.Until(t, "the cache knows "+o.GetName(), func() bool {
		err := l.cached.Get(t.Context(), client.ObjectKeyFromObject(o), o)
		return err == nil && o.GetResourceVersion() == version
	}, func() any { return o })
}

func (l *stage) newPullRequest(t *testing.T, commit, environment string) *v1alpha1.TestRun {
	t.Helper()
	cause := v1alpha1.Cause{Type: v1alpha1.CausePullRequest, PullRequest: &v1alpha1.PullRequestRef{Number: 7}}
	run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: environment, Commit: commit, Branch: "main", Cause: cause}, "")
	key.SignRun(run)
	l.Make(t, run)
	return run
}

// endAttempt waits for the suite's attempt and ends it. The executor is in memory, so no watch
// tells of it: a touch of the run does.
func (l *stage) endAttempt(t *testing.T, run *v1alpha1.TestRun, suite string, exitCode int32) {
	t.Helper()
	pod := runner.PodName(run, runner.AttemptOf(suite, 1))
	l.Until(t, run, suite+" is started", func() bool {
		attempts, err := l.executor.List(t.Context(), run)
		for _, a := range attempts {
			if a.Pod == pod {
				return true
			}
		}
		return err != nil
	})
	if err := l.executor.End(pod, exitCode, &report.Outcome{ExitCode: int(exitCode)}); err != nil {
		t.Fatal(err)
	}
	l.touch(t, run)
}

// touch makes the API server tell of an ended pod of the run, as the kubelet would.
func (l *stage) touch(t *testing.T, run *v1alpha1.TestRun) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "touch-", Labels: map[string]string{
			v1alpha1.RunLabel: run.Name, v1alpha1.RunNamespaceLabel: run.Namespace}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "suite", Image: "image"}}},
	}
	l.Make(t, pod)
}

func TestAPIServerRunsAreSeenThrough(t *testing.T) {
	one, two, four := strings.Repeat("1", 40), strings.Repeat("2", 40), strings.Repeat("4", 40)
	five, six, seven, eight := strings.Repeat("5", 40), strings.Repeat("6", 40), strings.Repeat("7", 40), strings.Repeat("8", 40)
	l := newStage(t, catalogstest.Commits{
		one: tree("api", "web"), two: tree("api"), four: tree("api"), eight: tree("api", "slow"), catalogstest.Unsigned: tree("api"),
		five: with(tree("unit"), "other/a", "five"), six: with(tree("unit"), "other/a", "six"), seven: with(tree("unit"), "other/a", "seven"),
	})
	stop := l.start()
	t.Cleanup(func() { stop() })

	t.Run("a run ends with the verdict of its suites", func(t *testing.T) {
		run := l.newRun(t, one, "staging")
		l.endAttempt(t, run, "api", 0)
		l.endAttempt(t, run, "web", 1)
		l.Until(t, run, "it has failed", func() bool { return run.Status.State == v1alpha1.StateFailed })
		if len(run.Status.Plan) != 2 || !strings.Contains(run.Status.Message, "web") || run.Status.CompletionTime == nil {
			t.Errorf("the status is %+v", run.Status)
		}
	})
	t.Run("a controller that is started again goes on where it was", func(t *testing.T) {
		run := l.newRun(t, two, "staging")
		l.Until(t, run, "it is planned", func() bool { return run.Status.State != "" })
		stop()
		stop = l.start()
		l.endAttempt(t, run, "api", 0)
		l.Until(t, run, "it has passed", func() bool { return run.Status.State == v1alpha1.StatePassed })
		if n := len(run.Status.Suites[0].Attempts); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
	t.Run("what the catalog changes stands on the run", func(t *testing.T) {
		run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: "staging", Commit: one, Base: two, Branch: "topic", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}, "")
		key.SignRun(run)
		l.Make(t, run)
		l.Until(t, run, "it is planned", func() bool { return len(run.Status.Plan) > 0 })
		if d := run.Status.CatalogDiff; d == nil || d.Summary() != "1 added" || d.Added[0] != "web" {
			t.Errorf("the difference is %+v", d)
		}
		run = runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: "staging", Commit: four, Base: two, Branch: "topic", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}, "")
		key.SignRun(run)
		l.Make(t, run)
		l.Until(t, run, "it is planned", func() bool { return len(run.Status.Plan) > 0 })
		if d := run.Status.CatalogDiff; d == nil || !d.Empty() {
			t.Errorf("the difference is %+v, want one without suites", d)
		}
	})
	t.Run("writes that come too late are repeated", func(t *testing.T) {
		l.conflicts.Store(2)
		run := l.newRun(t, four, "staging")
		l.endAttempt(t, run, "api", 0)
		l.Until(t, run, "it has passed", func() bool { return run.Status.State == v1alpha1.StatePassed })
	})
	t.Run("an environment that is not there ends the run with its reason", func(t *testing.T) {
		run := l.newRun(t, one, "prod")
		l.Until(t, run, "it is errored", func() bool { return run.Status.State == v1alpha1.StateErrored })
		if !strings.Contains(run.Status.Message+run.Status.Conditions[0].Message, `no TestEnvironment "prod"`) {
			t.Errorf("the status is %+v", run.Status)
		}
	})
	t.Run("a run cannot be changed but for spec.cancel", func(t *testing.T) {
		run := l.newRun(t, four, "prod")
		for what, change := range map[string]func(spec *v1alpha1.TestRunSpec){
			"commit": func(spec *v1alpha1.TestRunSpec) { spec.Commit = two },
			"base":   func(spec *v1alpha1.TestRunSpec) { spec.Base = two },
			"branch": func(spec *v1alpha1.TestRunSpec) { spec.Branch = "" },
			"tag":    func(spec *v1alpha1.TestRunSpec) { spec.Tag = "v1.2.3" },
			"suites": func(spec *v1alpha1.TestRunSpec) { spec.Suites = []string{"api"} },
			"cause":  func(spec *v1alpha1.TestRunSpec) { spec.Cause.By = "mallory" },
		} {
			changed := run.DeepCopy()
			change(&changed.Spec)
			if err := l.Patch(t.Context(), changed, client.MergeFrom(run)); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "create another") {
				t.Errorf("a change of %s: %v", what, err)
			}
		}
		changed := run.DeepCopy()
		changed.Spec.Cancel = true
		if err := l.Patch(t.Context(), changed, client.MergeFrom(run)); err != nil {
			t.Errorf("a cancel: %v", err)
		}
	})
	t.Run("a commit that is not there ends the run with its reason", func(t *testing.T) {
		run := l.newRun(t, strings.Repeat("3", 40), "staging")
		l.Until(t, run, "it is errored", func() bool { return run.Status.State == v1alpha1.StateErrored })
	})
	t.Run("a hermetic suite that passed is not run again for a pull request", func(t *testing.T) {
		first := l.newPullRequest(t, five, "staging")
		l.endAttempt(t, first, "unit", 0)
		l.Until(t, first, "it has passed", func() bool { return first.Status.State == v1alpha1.StatePassed })

		second := l.newPullRequest(t, six, "staging") // where only another folder differs
		l.Until(t, second, "it has passed", func() bool { return second.Status.State == v1alpha1.StatePassed })
		if suite := second.Status.Suites[0]; len(suite.Attempts) > 0 || second.Status.Plan[0].Reused == nil || second.Status.Plan[0].Reused.Run != first.Name {
			t.Errorf("the status is %+v", second.Status)
		}
		attempts, err := l.executor.List(t.Context(), second)
		if err != nil || len(attempts) > 0 {
			t.Errorf("there are pods: %+v, error %v", attempts, err)
		}

		env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}}
		l.Change(t, env, func() { env.Spec.Env = []corev1.EnvVar{{Name: "FLAG", Value: "on"}} })
		l.untilCached(t, env)
		third := l.newPullRequest(t, seven, "staging")
		l.endAttempt(t, third, "unit", 0)
		l.Until(t, third, "it has passed on a pod of its own", func() bool {
			return third.Status.State == v1alpha1.StatePassed && len(third.Status.Suites[0].Attempts) == 1
		})
	})
	t.Run("what the environment forbids ends its suite alone", func(t *testing.T) {
		run := l.newRun(t, eight, "staging")
		l.endAttempt(t, run, "api", 0)
		l.Until(t, run, "it is errored", func() bool { return run.Status.State == v1alpha1.StateErrored })
		for _, suite := range run.Status.Suites {
			if suite.Name == "slow" && (suite.Reason != string(fault.PolicyViolation) || len(suite.Attempts) > 0) ||
				suite.Name == "api" && suite.State != v1alpha1.StatePassed {
				t.Errorf("the suite is %+v", suite)
			}
		}
	})
	t.Run("a commit that may not be tested ends the run with its reason", func(t *testing.T) {
		run := l.newRun(t, catalogstest.Unsigned, "staging")
		l.Until(t, run, "it is errored", func() bool { return run.Status.State == v1alpha1.StateErrored })
		ready := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.ReadyCondition)
		if ready == nil || ready.Reason != string(fault.SignatureInvalid) || ready.Message != "commit 999999999999 is not signed (sign it)" || len(run.Status.Plan) != 0 {
			t.Errorf("the status is %+v", run.Status)
		}
	})
	t.Run("a deleted run takes its pods with it", func(t *testing.T) {
		run := l.newRun(t, two, "prod")
		l.Until(t, run, "it has ended", func() bool { return run.Status.State.Final() })
		if err := l.Delete(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		apiservertest.Until(t, "the run is gone", func() bool {
			return apierrors.IsNotFound(l.Get(t.Context(), client.ObjectKeyFromObject(run), run))
		}, func() any { return run })
	})
}
