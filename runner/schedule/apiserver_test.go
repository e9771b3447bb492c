//go:build apiserver

package schedule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
)

// flaky is a Git host that may be down.
type flaky struct {
	catalogstest.Commits
	down atomic.Bool
}

func (f *flaky) Tree(ctx context.Context, repo *v1alpha1.TestRepository, commit, path string) (fs.FS, error) {
	if f.down.Load() {
		return nil, errors.New("down")
	}
	return f.Commits.Tree(ctx, repo, commit, path)
}

// killed is a client that dies before it can write a status, once.
type killed struct {
	client.Client
	armed *atomic.Bool
}

func (k killed) Status() client.SubResourceWriter { return killedStatus{k.Client.Status(), k.armed} }

type killedStatus struct {
	client.SubResourceWriter
	armed *atomic.Bool
}

func (k killedStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	if k.armed.CompareAndSwap(true, false) {
		return errors.New("the controller is killed")
	}
	return k.SubResourceWriter.Patch(ctx, o, patch, options...)
}

// tree has suites with the cron that follows their name, such as "api=* * * * *", for the
// environments.
func tree(environments []string, suites ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, environment := range environments {
		files["tests/overlays/"+environment+"/kustomization.yaml"] = &fstest.MapFile{Data: []byte("resources: [../..]\n")}
	}
	var names []string
	for _, s := range suites {
		name, cron, _ := strings.Cut(s, "=")
		names = append(names, name+".yaml")
		on := "{push: {}}"
		if cron != "" {
			on = fmt.Sprintf("{schedule: [{cron: %q}]}", cron)
		}
		files["tests/"+name+".yaml"] = &fstest.MapFile{Data: []byte("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: " + name + "}\nspec: {image: image, command: [run], on: " + on + "}\n")}
	}
	files["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte("resources: [" + strings.Join(names, ", ") + "]\n")}
	return files
}

func commit(digit int) string { return strings.Repeat(fmt.Sprint(digit), 40) }

// lab is the reconciler on a real API server, at times that a test sets.
type lab struct {
	*apiservertest.Server
	host *flaky
	// died makes the reconciler die before it remembers what it created.
	died atomic.Bool
	now  atomic.Pointer[time.Time]
	// limited is a client with the rights of the controller.
	limited    client.Client
	reconciler *Reconciler
}

func newLab(t *testing.T) *lab {
	t.Helper()
	both := []string{"prod", "staging"}
	l := &lab{Server: apiservertest.Start(t), host: &flaky{Commits: catalogstest.Commits{
		commit(1): tree(both, "minutely=* * * * *", "push"), commit(2): tree(both, "minutely=* * * * *", "push"), commit(3): tree(both[1:], "minutely=* * * * *"),
		catalogstest.Unsigned: tree(both, "minutely=* * * * *"), commit(4): tree(both, "push"), commit(5): tree(both, "yearly=0 0 1 1 *"),
	}}}
	limited, err := client.New(l.Controller(t), client.Options{Scheme: l.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	l.limited = limited
	for _, name := range both {
		env := environment(name)
		env.Spec.Repositories[0].Namespace = "default"
		l.Make(t, env)
	}
	l.restart()
	return l
}

// restart gives a reconciler that remembers nothing.
func (l *lab) restart() {
	l.reconciler = &Reconciler{
		Client: killed{uncachedRuns{l.limited}, &l.died}, Catalogs: catalogs.New(l.host, 0), Key: key, Events: events.NewFakeRecorder(100),
		Now: func() time.Time { return *l.now.Load() },
	}
}

// at sets the clock.
func (l *lab) at(now time.Time) { l.now.Store(&now) }

// uncachedRuns lists runs without the indices that a cache has.
type uncachedRuns struct{ client.Client }

func (u uncachedRuns) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	repository, _ := o.FieldSelector.RequiresExactMatch("spec.repositoryRef.name")
	return u.Client.List(ctx, list, client.InNamespace(o.Namespace), client.MatchingLabels{v1alpha1.RepositoryLabel: repository})
}

// repository creates one whose default branch is at the commit and whose schedules were seen, and
// sets the clock to half a minute past the minute that follows.
func (l *lab) repository(t *testing.T, name, at string) (repo *v1alpha1.TestRepository, minute time.Time) {
	t.Helper()
	repo = &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/" + name, Environments: []v1alpha1.EnvironmentRef{{Name: "prod"}, {Name: "staging"}}},
	}
	l.Make(t, repo)
	l.poll(t, repo, at)
	minute = repo.CreationTimestamp.UTC().Truncate(time.Minute).Add(time.Minute)
	l.at(minute.Add(-time.Second))
	l.look(t, repo)
	l.at(minute.Add(30 * time.Second))
	return repo, minute
}

// poll records the head of the default branch, as a poll does.
func (l *lab) poll(t *testing.T, repo *v1alpha1.TestRepository, at string) {
	t.Helper()
	before := repo.DeepCopy()
	before.Status = v1alpha1.TestRepositoryStatus{}
	repo.Status.DefaultBranch, repo.Status.DefaultCommit = "main", at
	if err := l.Status().Patch(t.Context(), repo, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// look reconciles and gives when to look again.
func (l *lab) look(t *testing.T, repo *v1alpha1.TestRepository) time.Duration {
	t.Helper()
	result, err := l.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(repo)})
	if err != nil {
		t.Fatal(err)
	}
	return result.RequeueAfter
}

// end ends the runs of the repository.
func (l *lab) end(t *testing.T, repo *v1alpha1.TestRepository) {
	t.Helper()
	var runs v1alpha1.TestRunList
	if err := l.List(t.Context(), &runs, client.MatchingLabels{v1alpha1.RepositoryLabel: repo.Name}); err != nil {
		t.Fatal(err)
	}
	for i := range runs.Items {
		before := runs.Items[i].DeepCopy()
		runs.Items[i].Status.State = v1alpha1.StatePassed
		if err := l.Status().Patch(t.Context(), &runs.Items[i], client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
	}
}

// expect compares the scheduled runs of the repository: environment, suites, the first digit
// of the commit and the time.
func (l *lab) expect(t *testing.T, repo *v1alpha1.TestRepository, want ...string) {
	t.Helper()
	var runs v1alpha1.TestRunList
	if err := l.List(t.Context(), &runs, client.MatchingLabels{v1alpha1.RepositoryLabel: repo.Name}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, run := range runs.Items {
		got = append(got, scheduled(run.Spec.Environment, run.Spec.Commit, run.Spec.Cause.ScheduledTime.Time))
		if run.Spec.Cause.Type != v1alpha1.CauseSchedule || !slices.Equal(run.Spec.Suites, []string{"minutely"}) || run.Spec.Branch != "main" || !metav1.IsControlledBy(&run, repo) {
			t.Errorf("the run is %+v", run)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func scheduled(environment, commit string, at time.Time) string {
	return fmt.Sprintf("%s at %s of %s", at.UTC().Format("15:04:05"), commit[:1], environment)
}

func TestAPIServerScheduledRuns(t *testing.T) {
	l := newLab(t)
	both := func(commit string, at time.Time) []string {
		return []string{scheduled("prod", commit, at), scheduled("staging", commit, at)}
	}
	t.Run("a time that has come has its run in each environment, once", func(t *testing.T) {
		repo, minute := l.repository(t, "once", commit(1))
		for range 3 {
			if again := l.look(t, repo); again != 30*time.Second {
				t.Errorf("the next look is after %s, want 30s", again)
			}
		}
		l.expect(t, repo, both(commit(1), minute)...)
		l.Read(t, repo)
		if last := repo.Status.LastScheduleTime; last == nil || !last.Time.Equal(minute) {
			t.Errorf("it remembers %v, want %s", last, minute)
		}
	})
	t.Run("the head is that of the time", func(t *testing.T) {
		repo, minute := l.repository(t, "head", commit(1))
		l.look(t, repo)
		l.poll(t, repo, commit(2))
		l.look(t, repo) // the minute has its runs
		l.end(t, repo)
		l.at(minute.Add(time.Minute))
		l.look(t, repo)
		l.expect(t, repo, append(both(commit(1), minute), both(commit(2), minute.Add(time.Minute))...)...)
	})
	t.Run("before its first time there is none", func(t *testing.T) {
		repo, minute := l.repository(t, "before", commit(1))
		l.at(minute.Add(-time.Second))
		if again := l.look(t, repo); again != time.Second {
			t.Errorf("the next look is after %s, want 1s", again)
		}
		l.expect(t, repo)
	})
	t.Run("of what was missed the latest within an hour is made up for", func(t *testing.T) {
		repo, minute := l.repository(t, "missed", commit(1))
		l.look(t, repo)
		l.end(t, repo)
		l.restart()
		l.at(minute.Add(30 * time.Minute))
		l.look(t, repo)
		l.expect(t, repo, append(both(commit(1), minute), both(commit(1), minute.Add(30*time.Minute))...)...)

		yearly, _ := l.repository(t, "long-ago", commit(5))
		l.at(time.Date(minute.Year()+1, 1, 1, 1, 0, 1, 0, time.UTC))
		l.look(t, yearly)
		l.expect(t, yearly)
	})
	t.Run("a controller that was killed before it could remember goes on", func(t *testing.T) {
		repo, minute := l.repository(t, "killed", commit(1))
		l.died.Store(true)
		if _, err := l.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(repo)}); err == nil {
			t.Fatal("it was not killed")
		}
		l.restart()
		l.look(t, repo)
		l.expect(t, repo, both(commit(1), minute)...)
	})
	t.Run("a time that came while the host was down is made up for", func(t *testing.T) {
		repo, minute := l.repository(t, "down", commit(1))
		l.host.down.Store(true)
		l.restart() // so that the catalog is forgotten
		if again := l.look(t, repo); again != retry {
			t.Errorf("the next look is after %s, want %s", again, retry)
		}
		l.host.down.Store(false)
		l.expect(t, repo)
		l.at(minute.Add(50 * time.Second))
		l.look(t, repo)
		l.expect(t, repo, both(commit(1), minute)...)
	})
	t.Run("a catalog that is broken for one environment leaves the other alone", func(t *testing.T) {
		repo, minute := l.repository(t, "broken", commit(3))
		l.look(t, repo)
		l.expect(t, repo, scheduled("staging", commit(3), minute))
	})
	t.Run("what nobody signed sets no time, until its key is there", func(t *testing.T) {
		repo, _ := l.repository(t, "unsigned", catalogstest.Unsigned)
		if again := l.look(t, repo); again != time.Minute {
			t.Errorf("the next look is after %s, want 1m", again)
		}
		l.expect(t, repo)
	})
	t.Run("what asks for no time has none", func(t *testing.T) {
		unpolled, _ := l.repository(t, "unpolled", "")
		suspended, _ := l.repository(t, "suspended", commit(1))
		l.Change(t, suspended, func() { suspended.Spec.Suspend = true })
		unscheduled, _ := l.repository(t, "unscheduled", commit(4))
		gone := unscheduled.DeepCopy()
		gone.Name = "gone"
		for _, repo := range []*v1alpha1.TestRepository{unpolled, suspended, unscheduled, gone} {
			if again := l.look(t, repo); again != 0 {
				t.Errorf("%s is looked at again after %s", repo.Name, again)
			}
			l.expect(t, repo)
		}
	})
	t.Run("a branch that moves is looked at", func(t *testing.T) {
		repo, minute := l.repository(t, "moves", "")
		stop := l.Run(t, l.Config, func(_ context.Context, mgr ctrl.Manager) error {
			return (&Reconciler{
				Client: mgr.GetClient(), Catalogs: catalogs.New(l.host, 0), Key: key, Events: mgr.GetEventRecorder("test"), Now: l.reconciler.Now,
			}).SetupWithManager(mgr)
		})
		defer stop()
		l.poll(t, repo, commit(1))
		l.Until(t, repo, "its schedules are seen", func() bool { return len(repo.Status.Schedules) == 2 })
		l.at(minute.Add(90 * time.Second))
		l.poll(t, repo, commit(2))
		l.Until(t, repo, "it remembers the time", func() bool {
			last := repo.Status.LastScheduleTime
			return last != nil && last.Time.Equal(minute.Add(time.Minute))
		})
		l.expect(t, repo, both(commit(2), minute.Add(time.Minute))...)
	})
}
