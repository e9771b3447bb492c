package testrun

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
	"github.com/assay-dev/assay/runner/report"
	"github.com/assay-dev/assay/runner/runs"
)

// desk is the reconciler as far as it plans.
type desk struct {
	*Reconciler
	repo *v1alpha1.TestRepository
	env  *v1alpha1.TestEnvironment
}

func newDesk(t testing.TB, source catalogs.Source, objects ...client.Object) desk {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	d := desk{
		repo: &v1alpha1.TestRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop"},
			Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}},
		},
		env: &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Spec: v1alpha1.TestEnvironmentSpec{Namespace: "shop-staging"}},
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.TestRun{})
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	reader := builder.Build()
	rendered := catalogs.New(source, 0)
	contents, err := NewContents(reader, source, rendered, t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	d.Reconciler = &Reconciler{Admission: admission{}, Client: reader, Source: source, Catalogs: rendered, Contents: contents}
	return d
}

func (d desk) run(commit string, cause v1alpha1.CauseType) *v1alpha1.TestRun {
	spec := v1alpha1.TestRunSpec{Environment: "staging", Commit: commit, Branch: "main", Cause: v1alpha1.Cause{Type: cause}}
	if cause == v1alpha1.CausePullRequest {
		spec.Cause.PullRequest = &v1alpha1.PullRequestRef{Number: 7}
	}
	return runner.NewRun(d.repo, spec, "")
}

// entry gives the plan's entry of the suite unit.
func (d desk) entry(t *testing.T, run *v1alpha1.TestRun) v1alpha1.PlannedSuite {
	t.Helper()
	plan, err := d.Plan(t.Context(), run, d.repo, d.env)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plan {
		if p.Suite == "unit" {
			return p
		}
	}
	t.Fatalf("there is no suite unit in %+v", plan)
	return v1alpha1.PlannedSuite{}
}

// ended plans the run, lets the suite unit end on a pod, and keeps the run as the cache would.
func (d desk) ended(t *testing.T, run *v1alpha1.TestRun, exitCode int32) {
	t.Helper()
	suites, err := d.Catalogs.At(t.Context(), d.repo, run.Spec.Commit, "staging")
	if err != nil {
		t.Fatal(err)
	}
	unit, _ := suites.Suite("unit")
	content, err := d.Contents.Digest(t.Context(), d.repo, run.Spec.Commit, unit)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := d.Plan(t.Context(), run, d.repo, d.env)
	if err != nil {
		t.Fatal(err)
	}
	run.Status = runner.Planned(run, plan, time.Now())
	made := runner.Attempt{Run: run, ID: runner.AttemptOf("unit", 1), Suite: unit, Environment: d.env, TestsPath: d.repo.TestsPath()}
	named := map[string]catalog.Suite{"unit": unit}
	status, _ := runner.Next(run, named, d.env, runner.Observed{Attempts: []runner.ObservedAttempt{{
		AttemptID: runner.AttemptOf("unit", 1), Pod: runner.PodName(run, runner.AttemptOf("unit", 1)), Phase: runner.PhaseEnded, Created: time.Now(), ExitCode: &exitCode,
		ContentDigest: content, EnvironmentDigest: made.EnvironmentDigest(), Outcome: &report.Outcome{ExitCode: int(exitCode)},
	}}}, time.Now())
	run.Status = status
	if err := d.Create(t.Context(), run.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	kept := &v1alpha1.TestRun{}
	if err := d.Get(t.Context(), client.ObjectKeyFromObject(run), kept); err != nil {
		t.Fatal(err)
	}
	kept.Status = status
	if err := d.Status().Update(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
}

func TestAnEarlierPassIsReused(t *testing.T) {
	one, two, three, four := strings.Repeat("1", 40), strings.Repeat("2", 40), strings.Repeat("3", 40), strings.Repeat("4", 40)
	source := catalogstest.Commits{
		one: tree("unit"), two: with(tree("unit"), "docs/a.md", "new"),
		three: with(tree("unit"), "tests/unit/test.sh", "false\n"), four: with(tree("unit"), "docs/a.md", "newer"),
	}
	d := newDesk(t, source)
	first := d.run(one, v1alpha1.CausePush)
	if p := d.entry(t, first); p.Reused != nil {
		t.Errorf("before any run there is %+v", p.Reused)
	}
	d.ended(t, first, 0)
	if p := d.entry(t, first); p.Reused != nil {
		t.Error("a run proves itself")
	}

	if p := d.entry(t, d.run(two, v1alpha1.CausePullRequest)); p.Reused == nil || p.Reused.Run != first.Name || p.Reused.Commit != one || p.ContentDigest == "" {
		t.Errorf("the same content: %+v", p)
	}
	if p := d.entry(t, d.run(two, v1alpha1.CausePush)); p.Reused != nil {
		t.Error("a push reuses a pass")
	}
	if p := d.entry(t, d.run(two, v1alpha1.CauseAPI)); p.Reused != nil {
		t.Error("what was asked for reuses a pass")
	}
	if p := d.entry(t, d.run(three, v1alpha1.CausePullRequest)); p.Reused != nil {
		t.Error("another content reuses a pass")
	}

	reusing := d.run(two, v1alpha1.CausePullRequest)
	d.ended(t, reusing, 0)
	if p := d.entry(t, d.run(four, v1alpha1.CausePullRequest)); p.Reused == nil || p.Reused.Run != first.Name {
		t.Errorf("a pass that was reused is no pass to reuse: %+v", p.Reused)
	}

	d.ended(t, d.run(four, v1alpha1.CausePush), 1)
	if p := d.entry(t, d.run(two, v1alpha1.CausePullRequest)); p.Reused != nil || !strings.HasPrefix(p.Reasons[len(p.Reasons)-1], "hermetic, but ") {
		t.Errorf("after a failure with all the same: %+v", p)
	}
}

// TestContentThatCannotBePacked: a host that does not answer is waited for; a content that the
// commit lacks leaves the suite to run.
func TestContentThatCannotBePacked(t *testing.T) {
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
	for _, c := range []struct {
		reason fault.Reason
		waits  bool
	}{{fault.HostFailed, true}, {fault.SymlinkRefused, false}} {
		t.Run(string(c.reason), func(t *testing.T) {
			source := &failing{Source: catalogstest.Commits{one: tree("unit"), two: with(tree("unit"), "docs/a.md", "new")}, path: "tests/unit"}
			d := newDesk(t, source)
			d.ended(t, d.run(one, v1alpha1.CausePush), 0)
			source.err = fault.New(c.reason, fault.Place{}, "", "as told")
			plan, err := d.Plan(t.Context(), d.run(two, v1alpha1.CausePullRequest), d.repo, d.env)
			if c.waits != (err != nil) || c.waits && fault.ReasonOf(err) != c.reason {
				t.Fatalf("error %v", err)
			}
			if !c.waits && (plan[0].Reused != nil || !plan[0].Run) {
				t.Errorf("the plan is %+v", plan)
			}
		})
	}
}

// failing is a source that fails for trees below a path, once it has an error.
type failing struct {
	catalogs.Source
	path string
	err  error
}

func (f *failing) Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error) {
	if f.err != nil && path == f.path {
		return nil, f.err
	}
	return f.Source.Tree(ctx, repo, commit, path)
}

// TestRunsThatCannotBeListed: without them nothing is planned, as it will be the next time.
func TestRunsThatCannotBeListed(t *testing.T) {
	one := strings.Repeat("1", 40)
	d := newDesk(t, catalogstest.Commits{one: tree("unit")})
	d.Client = deaf{d.Client}
	if _, err := d.Plan(t.Context(), d.run(one, v1alpha1.CausePullRequest), d.repo, d.env); !errors.Is(err, errDeaf) {
		t.Errorf("the error is %v", err)
	}
}

var errDeaf = errors.New("no list")

type deaf struct{ client.Client }

func (deaf) List(context.Context, client.ObjectList, ...client.ListOption) error { return errDeaf }
