package schedule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/runs"
)

var key = proof.Must(make([]byte, proof.KeyBytes))

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func sha(c string) string { return strings.Repeat(c, 40) }

// suitesAt has suites such as "load=0 12 * * *", or without a cron, for one environment. A cron
// that begins with ! is that of a suspended suite.
func suitesAt(suites ...string) fstest.MapFS {
	files := fstest.MapFS{"tests/overlays/staging/kustomization.yaml": {Data: []byte("resources: [../..]\n")}}
	list := ""
	for _, s := range suites {
		name, cron, _ := strings.Cut(s, "=")
		list += "- " + name + ".yaml\n"
		cron, suspend := strings.CutPrefix(cron, "!")
		on := "{push: {}}"
		if cron != "" {
			on = fmt.Sprintf("{schedule: [{cron: %q}]}", cron)
		}
		files["tests/"+name+".yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: %s}\nspec: {image: image, command: [run], suspend: %t, on: %s}\n", name, suspend, on)}
	}
	files["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte("resources:\n" + list)}
	return files
}

// host is a Git host that can be down.
type host struct {
	catalogstest.Commits
	down fault.Reason // empty: it answers
}

func (h *host) Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error) {
	if h.down != "" {
		return nil, fault.New(h.down, fault.Place{}, "", "no answer")
	}
	return h.Commits.Tree(ctx, repo, commit, path)
}

// stage is the reconciler of one repository, on a cluster whose writes can fail.
type stage struct {
	*testing.T
	client.Client
	host   *host
	now    time.Time
	events *events.FakeRecorder
	r      *Reconciler
	// deaths says of each write from now on whether the controller is killed at it; statuses counts
	// the writes of the status.
	deaths   []bool
	statuses int
}

func newStage(t *testing.T, commits catalogstest.Commits) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	repo := &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop", UID: "u"},
		Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}},
		Status:     v1alpha1.TestRepositoryStatus{DefaultBranch: "main", DefaultCommit: sha("1")},
	}
	s := &stage{T: t, host: &host{Commits: commits}, events: events.NewFakeRecorder(100)}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(repo, environment("staging")).
		WithStatusSubresource(repo, &v1alpha1.TestRun{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
				if s.dies() {
					return errors.New("killed")
				}
				return c.Create(ctx, o, options...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
				if s.dies() {
					return errors.New("killed")
				}
				s.statuses++
				return c.SubResource(sub).Patch(ctx, o, p, options...)
			},
		})
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	s.Client = builder.Build()
	s.restart()
	return s
}

func environment(name string) *v1alpha1.TestEnvironment {
	return &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TestEnvironmentSpec{
		Namespace: name, Repositories: []v1alpha1.RepositoryAdmission{{Namespace: "shop"}},
	}}
}

// dies says whether the controller is killed at this write.
func (s *stage) dies() bool {
	if len(s.deaths) == 0 {
		return false
	}
	dies := s.deaths[0]
	s.deaths = s.deaths[1:]
	return dies
}

// restart gives a controller that remembers nothing.
func (s *stage) restart() {
	s.r = &Reconciler{Client: s, Catalogs: catalogs.New(s.host, 0), Key: key, Events: s.events, Now: func() time.Time { return s.now }}
}

// look looks at a clock time of the day.
func (s *stage) look(clock string) error {
	at, err := time.Parse("15:04:05", clock)
	if err != nil {
		s.Fatal(err)
	}
	s.now = noon.Truncate(24 * time.Hour).Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second)
	_, err = s.r.Reconcile(s.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "shop"}})
	return err
}

// looks looks at times at which nothing goes wrong.
func (s *stage) looks(clocks ...string) {
	s.Helper()
	for _, clock := range clocks {
		if err := s.look(clock); err != nil {
			s.Errorf("at %s: %v", clock, err)
		}
	}
}

func (s *stage) repo() *v1alpha1.TestRepository {
	repo := &v1alpha1.TestRepository{}
	if err := s.Get(s.Context(), client.ObjectKey{Namespace: "shop", Name: "shop"}, repo); err != nil {
		s.Fatal(err)
	}
	return repo
}

func (s *stage) move(to string) {
	repo := s.repo()
	repo.Status.DefaultCommit = to
	if err := s.Status().Update(s.Context(), repo); err != nil {
		s.Fatal(err)
	}
}

// spec changes the repository.
func (s *stage) spec(change func(*v1alpha1.TestRepositorySpec)) {
	repo := s.repo()
	change(&repo.Spec)
	if err := s.Update(s.Context(), repo); err != nil {
		s.Fatal(err)
	}
}

// environment changes the environment.
func (s *stage) environment(change func(*v1alpha1.TestEnvironmentSpec)) {
	env := &v1alpha1.TestEnvironment{}
	if err := s.Get(s.Context(), client.ObjectKey{Name: "staging"}, env); err != nil {
		s.Fatal(err)
	}
	change(&env.Spec)
	if err := s.Update(s.Context(), env); err != nil {
		s.Fatal(err)
	}
}

// runs are such as "a, b at 12:00 of 1".
func (s *stage) expect(want ...string) {
	s.Helper()
	var list v1alpha1.TestRunList
	if err := s.List(s.Context(), &list); err != nil {
		s.Fatal(err)
	}
	var got []string
	for _, r := range list.Items {
		got = append(got, fmt.Sprintf("%s at %s of %s", strings.Join(r.Spec.Suites, ", "), r.Spec.Cause.ScheduledTime.UTC().Format("15:04"), r.Spec.Commit[:1]))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("runs (-want +got):\n%s", diff)
	}
}

// condition compares reason and message of the condition.
func (s *stage) condition(reason, message string) {
	s.Helper()
	c := meta.FindStatusCondition(s.repo().Status.Conditions, v1alpha1.ScheduledCondition)
	switch {
	case c == nil && reason == "":
	case c == nil || c.Reason != reason || c.Message != message || (c.Status == metav1.ConditionTrue) != (reason == v1alpha1.SucceededReason):
		s.Errorf("the condition is %+v\nwant %s: %s", c, reason, message)
	}
}

const daily = "load=0 12 * * *"

func TestOneRunForAllThatIsDue(t *testing.T) {
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt("a=0 12 * * *", "b=0 12 * * *", "c=0 13 * * *", "d")})
	s.looks("11:30:00", "12:00:00", "12:00:01", "13:00:00")
	s.expect("a, b at 12:00 of 1", "c at 13:00 of 1")
	s.condition(v1alpha1.SucceededReason, "3 scheduled suites in 1 environment, the next at 2026-03-03T12:00:00Z")
}

// The controller is killed at any of its writes, and the branch moves: there is one run.
func TestATimeHasOneRunWhateverHappens(t *testing.T) {
	for death := range 3 {
		s := newStage(t, catalogstest.Commits{sha("1"): suitesAt(daily, "b=0 12 * * *"), sha("2"): suitesAt(daily, "b=0 12 * * *", "c=0 12 * * *")})
		s.looks("11:30:00")
		s.deaths = slices.Repeat([]bool{false}, death)
		s.deaths = append(s.deaths, true)
		killed := s.look("12:00:05")
		s.deaths = nil
		s.restart()
		s.move(sha("2"))
		s.looks("12:00:25", "12:00:45")
		if killed == nil {
			t.Errorf("it was not killed at write %d", death)
		}
		of := "1"
		if death == 0 {
			of = "2"
		}
		s.expect("b, load at 12:00 of " + of)
	}
}

func TestANewScheduleWaitsForItsTime(t *testing.T) {
	for name, test := range map[string]struct {
		first  fstest.MapFS
		second fstest.MapFS
		change func(s *stage)
		back   func(s *stage)
	}{
		"of a suite that is pushed":             {first: suitesAt("load", "other=0 0 * * *"), second: suitesAt(daily, "other=0 0 * * *")},
		"of the first that is pushed":           {first: suitesAt("load"), second: suitesAt(daily)},
		"of a cron that is changed":             {first: suitesAt("load=0 18 * * *"), second: suitesAt(daily)},
		"of a suite whose suspension is lifted": {first: suitesAt("load=!0 12 * * *"), second: suitesAt(daily)},
		"of a repository whose suspension is lifted": {
			change: func(s *stage) { s.spec(func(r *v1alpha1.TestRepositorySpec) { r.Suspend = true }) },
			back:   func(s *stage) { s.spec(func(r *v1alpha1.TestRepositorySpec) { r.Suspend = false }) },
		},
		"of an environment whose suspension is lifted": {
			change: func(s *stage) { s.environment(func(e *v1alpha1.TestEnvironmentSpec) { e.Suspend = true }) },
			back:   func(s *stage) { s.environment(func(e *v1alpha1.TestEnvironmentSpec) { e.Suspend = false }) },
		},
		"of an environment that admits again": {
			change: func(s *stage) { s.environment(func(e *v1alpha1.TestEnvironmentSpec) { e.Repositories = nil }) },
			back: func(s *stage) {
				s.environment(func(e *v1alpha1.TestEnvironmentSpec) { e.Repositories = environment("").Spec.Repositories })
			},
		},
		"of another folder of tests": {
			first: func() fstest.MapFS {
				both := suitesAt("load")
				for name, file := range suitesAt(daily) {
					both["other/"+name] = file
				}
				return both
			}(),
			back: func(s *stage) { s.spec(func(r *v1alpha1.TestRepositorySpec) { r.Path = "other/tests" }) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.first == nil {
				test.first = suitesAt(daily)
			}
			s := newStage(t, catalogstest.Commits{sha("1"): test.first, sha("2"): test.second})
			s.looks("11:00:00")
			if test.change != nil {
				test.change(s)
				s.looks("11:30:00")
			}
			s.looks("12:00:00")
			if test.second != nil {
				s.move(sha("2"))
			}
			if test.back != nil {
				test.back(s)
			}
			s.looks("12:30:00")
			s.restart()
			s.looks("12:40:00")
			s.expect()
			s.now = s.now.Add(24 * time.Hour) // the next day it is due
			if _, err := s.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "shop"}}); err != nil {
				t.Error(err)
			}
			of := "1"
			if test.second != nil {
				of = "2"
			}
			s.expect("load at 12:00 of " + of)
		})
	}
}

func TestATimeThatWasMissedIsMadeUpFor(t *testing.T) {
	commits := catalogstest.Commits{sha("1"): suitesAt(daily), sha("2"): suitesAt(daily, "new=0 12 * * *"), sha("3"): {}, sha("4"): suitesAt("load=0 25 * * *")}
	for name, test := range map[string]struct {
		missed func(s *stage)
		want   []string
	}{
		"while no controller ran":             {func(*stage) {}, []string{"load at 12:00 of 1"}},
		"while the branch moved":              {func(s *stage) { s.move(sha("2")) }, []string{"load at 12:00 of 2"}},
		"while the branch moved out of reach": {func(s *stage) { delete(commits, sha("1")); s.move(sha("2")) }, nil},
		"while the host was down":             {func(s *stage) { s.host.down = fault.HostUnreachable; s.looks("12:00:00"); s.host.down = "" }, []string{"load at 12:00 of 1"}},
		"while the host was down and it moved": {func(s *stage) {
			s.host.down = fault.HostUnreachable
			s.move(sha("2"))
			s.looks("12:00:00")
			s.host.down = ""
		}, []string{"load at 12:00 of 2"}},
		"while the catalog was broken":  {func(s *stage) { s.move(sha("4")); s.looks("12:00:00"); s.move(sha("1")) }, []string{"load at 12:00 of 1"}},
		"not while there were no tests": {func(s *stage) { s.move(sha("3")); s.looks("12:00:00"); s.move(sha("1")) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			commits[sha("1")] = suitesAt(daily)
			s := newStage(t, commits)
			s.looks("11:00:00", "11:45:00")
			s.restart()
			test.missed(s)
			s.restart()
			s.looks("12:30:00", "12:31:00")
			s.expect(test.want...)
		})
	}
	s := newStage(t, commits)
	s.looks("11:00:00")
	s.restart()
	s.looks("13:00:01") // too late
	s.expect()
}

func TestASuiteDoesNotStartWhileItsLastRunGoesOn(t *testing.T) {
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt("slow=* * * * *", "fast=* * * * *")})
	s.looks("11:59:30", "12:00:00", "12:01:00")
	s.expect("fast, slow at 12:00 of 1") // neither has ended
	var list v1alpha1.TestRunList
	if err := s.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	run := &list.Items[0]
	end := func(state v1alpha1.RunState, suites ...v1alpha1.SuiteStatus) {
		run.Status.State, run.Status.Suites = state, suites
		if err := s.Status().Update(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	end(v1alpha1.StateRunning, v1alpha1.SuiteStatus{Name: "fast", State: v1alpha1.StatePassed}, v1alpha1.SuiteStatus{Name: "slow", State: v1alpha1.StateRunning})
	s.looks("12:02:00")
	s.expect("fast, slow at 12:00 of 1", "fast at 12:02 of 1")
	end(v1alpha1.StateErrored)
	s.looks("12:03:00", "12:03:30")
	s.expect("fast, slow at 12:00 of 1", "fast at 12:02 of 1", "slow at 12:03 of 1")
	told := <-s.events.Events
	if want := "at 2026-03-02T12:01:00Z in the environment \"staging\" these suites were left out, as their last scheduled run has not ended: fast (" + run.Name + "), slow"; !strings.Contains(told, want) {
		t.Errorf("the event is %q", told)
	}
}

func TestWhatIsNotScheduledIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		change          func(s *stage)
		reason, message string
	}{
		"an environment that is not there": {
			func(s *stage) {
				if err := s.Delete(s.Context(), environment("staging")); err != nil {
					s.Fatal(err)
				}
			},
			"EnvironmentNotFound", `spec.environments: in the environment "staging": there is no TestEnvironment "staging" (create it, or take it out of the TestRepository)`,
		},
		"an environment that does not admit": {
			func(s *stage) { s.environment(func(e *v1alpha1.TestEnvironmentSpec) { e.Repositories = nil }) },
			"EnvironmentNotAdmitted", `spec.environments: in the environment "staging": the TestEnvironment "staging" does not admit the TestRepository "shop/shop" (its owner can add it to spec.repositories)`,
		},
		"an environment that is suspended": {
			func(s *stage) { s.environment(func(e *v1alpha1.TestEnvironmentSpec) { e.Suspend = true }) },
			"Suspended", "no schedule goes in suspended environments: staging",
		},
		"a repository that is suspended": {
			func(s *stage) { s.spec(func(r *v1alpha1.TestRepositorySpec) { r.Suspend = true }) },
			"Suspended", "suspended",
		},
		"a catalog that is broken": {
			func(s *stage) { s.move(sha("2")) },
			"InvalidCatalog", `tests/load.yaml:4: spec.on.schedule[0].cron: in the environment "staging": "0 25 * * *" is no cron: end of range (25) above maximum (23): "25" (write minute, hour, day of month, month and day of week, such as H 2 * * *)`,
		},
		"a host that is down": {
			func(s *stage) { s.host.down = fault.HostUnreachable; s.restart() },
			"HostUnreachable", `in the environment "staging": no answer`,
		},
		"a run that cannot be created": {
			func(s *stage) {
				s.deaths = []bool{true}
				if s.look("12:00:00") == nil {
					s.Error("it is no error")
				}
				s.deaths = []bool{true}
			},
			"InternalError", "",
		},
		"suites that have no schedule any more": {func(s *stage) { s.move(sha("3")) }, "", ""},
		"no tests":                              {func(s *stage) { s.move(sha("4")) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, catalogstest.Commits{sha("1"): suitesAt(daily), sha("2"): suitesAt("load=0 25 * * *"), sha("3"): suitesAt("load"), sha("4"): {}})
			s.looks("11:00:00")
			s.condition(v1alpha1.SucceededReason, "1 scheduled suite in 1 environment, the next at 2026-03-02T12:00:00Z")
			test.change(s)
			err := s.look("12:00:00")
			if test.reason == "InternalError" {
				if c := meta.FindStatusCondition(s.repo().Status.Conditions, v1alpha1.ScheduledCondition); err == nil || c == nil || c.Reason != test.reason || !strings.Contains(c.Message, "staging") {
					t.Errorf("it says %+v, and %v", c, err)
				}
				return
			}
			if err != nil {
				t.Error(err)
			}
			s.expect()
			s.condition(test.reason, test.message)
			written := s.statuses
			s.looks("12:10:00", "12:20:00")
			if s.statuses != written {
				t.Errorf("it was written %d times though nothing changed", s.statuses-written)
			}
		})
	}
}

// What may be mended without a commit is looked at again; a host that has no place is no news.
func TestACatalogThatCannotBeHadIsAskedForAgain(t *testing.T) {
	for reason, again := range map[fault.Reason]time.Duration{
		fault.HostUnreachable: retry, fault.HostBusy: retry, fault.AuthenticationFailed: retry, fault.RepositoryNotFound: retry, fault.SymlinkRefused: 0,
	} {
		s := newStage(t, catalogstest.Commits{sha("1"): suitesAt(daily)})
		s.looks("11:00:00")
		s.host.down = reason
		s.restart()
		s.now = noon
		result, err := s.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "shop"}})
		if err != nil || result.RequeueAfter != again {
			t.Errorf("%s: it is looked at again after %s, %v", reason, result.RequeueAfter, err)
		}
		c := meta.FindStatusCondition(s.repo().Status.Conditions, v1alpha1.ScheduledCondition)
		if c == nil || (c.Status == metav1.ConditionTrue) != (reason == fault.HostBusy) {
			t.Errorf("%s: it says %+v", reason, c)
		}
		s.host.down = ""
		s.looks("12:30:00")
		s.expect("load at 12:00 of 1")
	}
}

// Nothing is written for a repository without schedules, nor between two times of one that has some.
func TestALookThatFindsNothingWritesNothing(t *testing.T) {
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt("load")})
	s.looks("11:00:00", "12:00:00")
	if s.statuses != 0 {
		t.Errorf("%d writes for nothing", s.statuses)
	}
	s.condition("", "")
	s = newStage(t, catalogstest.Commits{sha("1"): suitesAt(daily), sha("2"): suitesAt(daily, "other")})
	s.looks("11:00:00")
	written := s.statuses
	s.looks("11:10:00")
	s.move(sha("2"))
	s.restart()
	s.looks("11:20:00")
	if s.statuses != written {
		t.Errorf("%d writes for nothing new", s.statuses-written)
	}
}

// A schedule that cannot be computed, and a run that cannot be created, stop nothing else.
func TestOneFaultStopsNothingElse(t *testing.T) {
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt("a=0 12 * * *", "b=5 12 * * *", "c=10 12 * * *")})
	s.looks("11:50:00")
	s.deaths = []bool{true, false, true}
	err := s.look("12:20:00")
	if err == nil || strings.Count(err.Error(), "killed") != 2 {
		t.Errorf("the errors are %v", err)
	}
	s.expect("b at 12:05 of 1")
	s.looks("12:21:00")
	s.expect("a at 12:00 of 1", "b at 12:05 of 1", "c at 12:10 of 1")

	l := &look{environment: "staging"}
	_, bad := catalog.Due(catalog.Catalog{Suites: []catalog.Suite{odd()}}, "seed", noon, noon)
	l.fault(bad)
	other := &look{environment: "prod", suites: 1, next: noon}
	repo := s.repo()
	conclude(repo, []*look{l, other})
	c := meta.FindStatusCondition(repo.Status.Conditions, v1alpha1.ScheduledCondition)
	for _, part := range []string{`"staging"`, `the suite "odd"`, "(write minute, hour"} {
		if c == nil || c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, part) {
			t.Errorf("the condition lacks %s: %+v", part, c)
		}
	}
}

func odd() catalog.Suite {
	s := catalog.Suite{TestSuite: v1alpha1.TestSuite{Spec: v1alpha1.TestSuiteSpec{On: &v1alpha1.Triggers{Schedule: []v1alpha1.Schedule{{Cron: "0 3 31 2 *"}}}}}}
	s.Name = "odd"
	return s
}
