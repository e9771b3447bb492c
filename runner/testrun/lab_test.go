package testrun

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
	"github.com/assay-dev/assay/runner/memory"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/report"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/runner/slots"
)

var key = proof.Must(make([]byte, proof.KeyBytes))

const head = "1111111111111111111111111111111111111111"

// host is a Git host on which a test lays hands.
type host struct {
	catalogstest.Commits
	mu   sync.Mutex
	hook func(path string) error
}

func (h *host) Tree(ctx context.Context, r *v1alpha1.TestRepository, commit, path string) (fs.FS, error) {
	h.mu.Lock()
	hook := h.hook
	h.mu.Unlock()
	if hook != nil {
		if err := hook(path); err != nil {
			return nil, err
		}
	}
	return h.Commits.Tree(ctx, r, commit, path)
}

// mortal dies at an action: from then on nothing is done any more, until the controller starts again.
type mortal struct {
	mu sync.Mutex
	// left is how many actions are survived; after says whether the fatal one is still done.
	left  int
	after bool
	dead  bool
}

var errDead = errors.New("the controller was killed")

// act does an action, unless it comes too late.
func (m *mortal) act(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	if m.left--; m.left >= 0 {
		return do()
	}
	m.dead = true
	if m.after {
		if err := do(); err != nil {
			return err
		}
	}
	return errDead
}

// lifeline is the executor as far as the controller lives.
type lifeline struct {
	*memory.Executor
	life *mortal
}

func (l lifeline) Start(ctx context.Context, a runner.Attempt) error {
	return l.life.act(func() error { return l.Executor.Start(ctx, a) })
}

func (l lifeline) Stop(ctx context.Context, run *v1alpha1.TestRun, pod string) error {
	return l.life.act(func() error { return l.Executor.Stop(ctx, run, pod) })
}

// admission is a table of refusals; who is not in it may be tested.
type admission map[string]error

func (a admission) Reachable(_ context.Context, _ *v1alpha1.TestRepository, commit string) error {
	return a[commit]
}

// lab is the reconciler on a client and an executor in memory.
type lab struct {
	*testing.T
	client   client.Client
	host     *host
	executor *memory.Executor
	life     *mortal
	table    *slots.Table
	r        *Reconciler
	// admission says of commits why they may not be tested.
	admission admission
	env       *v1alpha1.TestEnvironment
	repo      *v1alpha1.TestRepository
}

func newLab(t *testing.T, suites ...string) *lab {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), clientgoscheme.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	l := &lab{
		T: t, host: &host{Commits: catalogstest.Commits{head: tree(suites...)}}, executor: memory.New(nil, nil), life: &mortal{left: 1 << 30}, admission: admission{},
		repo: &v1alpha1.TestRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop"},
			Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}},
		},
		env: &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Spec: v1alpha1.TestEnvironmentSpec{
			Namespace: "shop-staging", Repositories: []v1alpha1.RepositoryAdmission{{Namespace: "shop", Name: "shop"}}}},
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(l.repo, l.env).WithStatusSubresource(&v1alpha1.TestRun{})
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	l.client = builder.Build()
	l.restart()
	return l
}

// restart starts a controller that remembers nothing.
func (l *lab) restart() {
	l.Helper()
	l.life.mu.Lock()
	l.life.dead, l.life.left = false, max(l.life.left, 1<<20)
	l.life.mu.Unlock()
	c := interceptor.NewClient(l.client.(client.WithWatch), interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return l.life.act(func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return l.life.act(func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return l.life.act(func() error { return c.Delete(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return l.life.act(func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
	})
	rendered := catalogs.New(l.host, 0)
	contents, err := NewContents(l.client, l.host, rendered, l.TempDir(), 0)
	if err != nil {
		l.Fatal(err)
	}
	l.table = slots.New(nil)
	l.r = &Reconciler{Client: c, Source: l.host, Catalogs: rendered, Contents: contents, Executor: lifeline{l.executor, l.life}, Slots: l.table, Key: key, Admission: l.admission,
		Events: events.NewFakeRecorder(1000), Retention: Retention{Pods: time.Hour, Runs: time.Hour}}
}

// newRun makes a run of a push that is so old.
func (l *lab) newRun(branch string, age time.Duration) *v1alpha1.TestRun {
	l.Helper()
	run := runner.NewRun(l.repo, v1alpha1.TestRunSpec{Environment: "staging", Commit: head, Branch: branch, Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}, "")
	key.SignRun(run)
	run.UID, run.CreationTimestamp = types.UID("uid-of-"+run.Name), metav1.NewTime(time.Now().Add(-age))
	if err := l.client.Create(l.Context(), run); err != nil {
		l.Fatal(err)
	}
	return run
}

// reconcile looks at the run and gives it as it is then; nil when it is gone.
func (l *lab) reconcile(run *v1alpha1.TestRun) (*v1alpha1.TestRun, error) {
	l.Helper()
	key := client.ObjectKeyFromObject(run)
	result, err := l.r.Reconcile(l.Context(), ctrl.Request{NamespacedName: key})
	if err != nil && result != (ctrl.Result{}) {
		l.Errorf("it gives both %+v, which is then ignored, and an error: %v", result, err)
	}
	got := &v1alpha1.TestRun{}
	if err := l.client.Get(l.Context(), key, got); err != nil {
		l.Fatal(err)
	}
	return got, err
}

// looks reconciles a few times and expects no error.
func (l *lab) looks(run *v1alpha1.TestRun) *v1alpha1.TestRun {
	l.Helper()
	for range 3 {
		var err error
		if run, err = l.reconcile(run); err != nil {
			l.Fatalf("reconcile: %v", err)
		}
	}
	return run
}

// goOn lets every pod of the run go a step further: it runs, and then passes.
func (l *lab) goOn(run *v1alpha1.TestRun) {
	l.Helper()
	for _, o := range l.pods(run) {
		var err error
		switch o.Phase {
		case runner.PhasePending:
			err = l.executor.Run(o.Pod)
		case runner.PhaseRunning:
			err = l.executor.End(o.Pod, 0, &report.Outcome{})
		}
		if err != nil {
			l.Fatal(err)
		}
	}
}

func (l *lab) pods(run *v1alpha1.TestRun) []runner.ObservedAttempt {
	l.Helper()
	list, err := l.executor.List(l.Context(), run)
	if err != nil {
		l.Fatal(err)
	}
	return list
}
