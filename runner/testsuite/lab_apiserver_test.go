//go:build apiserver

package testsuite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
)

// tree has suites with the timeout that follows their name, such as "api=5m".
func tree(suites ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, environment := range []string{"staging", "prod"} {
		files["tests/overlays/"+environment+"/kustomization.yaml"] = &fstest.MapFile{Data: []byte(
			"resources: [../..]\nlabels: [{pairs: {stage: " + environment + "}}]\n")}
	}
	resources := "resources: ["
	for _, s := range suites {
		name, timeout, _ := strings.Cut(s, "=")
		resources += name + ".yaml, "
		files["tests/"+name+".yaml"] = &fstest.MapFile{Data: []byte(fmt.Sprintf(`apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: %s}
spec:
  image: image
  command: [run]
  timeout: %s
  env: [{name: A, value: a}]
  resources: {limits: {cpu: 1000m}}
  on: {pullRequest: {}}
`, name, timeout))}
	}
	files["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte(strings.TrimSuffix(resources, ", ") + "]\n")}
	return files
}

func commit(digit int) string { return strings.Repeat(fmt.Sprint(digit), 40) }

// broken is a client that lets so many more writes of suites through, and then fails; and
// whose cache is late while stale is set.
type broken struct {
	client.Client
	left  *atomic.Int32
	stale *atomic.Pointer[v1alpha1.TestSuiteList]
}

func (b broken) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if suites, ok := list.(*v1alpha1.TestSuiteList); ok && b.stale.Load() != nil {
		b.stale.Load().DeepCopyInto(suites)
		return nil
	}
	return b.Client.List(ctx, list, options...)
}

func (b broken) Apply(ctx context.Context, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
	if b.left.Add(-1) < 0 {
		return errors.New("the controller is killed")
	}
	return b.Client.Apply(ctx, o, options...)
}

// lab is the reconciler on a real API server, with the rights of the installed controller.
type lab struct {
	*apiservertest.Server
	recorded *events.FakeRecorder
	// writes is how many suites may be written before the controller is killed.
	writes atomic.Int32
	stale  atomic.Pointer[v1alpha1.TestSuiteList]
	start  func() (stop func())
}

const plenty = 1 << 20

func newLab(t *testing.T, source catalogstest.Commits) *lab {
	t.Helper()
	l := &lab{Server: apiservertest.Start(t), recorded: events.NewFakeRecorder(10_000)}
	l.writes.Store(plenty)
	controller := l.Controller(t)
	l.start = func() func() {
		return l.Run(t, controller, func(ctx context.Context, mgr ctrl.Manager) error {
			if err := (&ByHand{Client: mgr.GetClient(), Events: l.recorded}).SetupWithManager(mgr); err != nil {
				return err
			}
			return (&Reconciler{
				Client: broken{mgr.GetClient(), &l.writes, &l.stale}, Live: mgr.GetAPIReader(), Catalogs: catalogs.New(source, 0), Events: l.recorded,
			}).SetupWithManager(ctx, mgr, Options{})
		})
	}
	return l
}

// may says whether the controller's user may do that with TestSuites.
func (l *lab) may(t *testing.T, verb, subresource string) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: apiservertest.ControllerUser, ResourceAttributes: &authorizationv1.ResourceAttributes{
		Namespace: "default", Verb: verb, Group: v1alpha1.GroupVersion.Group, Resource: "testsuites", Subresource: subresource}}}
	l.Make(t, review)
	return review.Status.Allowed
}

// quiet fails when anything was told of.
func (l *lab) quiet(t *testing.T) {
	t.Helper()
	select {
	case text := <-l.recorded.Events:
		t.Errorf("an event that nobody gave reason for: %s", text)
	default:
	}
}

// repository creates one whose default branch is at the commit.
func (l *lab) repository(t *testing.T, name, at string) *v1alpha1.TestRepository {
	t.Helper()
	repo := &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       v1alpha1.TestRepositorySpec{URL: "https://git.example/shop", Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}}},
	}
	l.Make(t, repo)
	l.push(t, repo, "main", at)
	return repo
}

// push moves a branch, as a poll does.
func (l *lab) push(t *testing.T, repo *v1alpha1.TestRepository, branch, to string) {
	t.Helper()
	l.Read(t, repo)
	before := repo.DeepCopy()
	repo.Status.DefaultBranch = "main"
	repo.Status.Heads = slices.DeleteFunc(repo.Status.Heads, func(h v1alpha1.Head) bool { return h.Branch == branch })
	if to != "" {
		repo.Status.Heads = append(repo.Status.Heads, v1alpha1.Head{Branch: branch, Commit: to})
	}
	if err := l.Status().Patch(t.Context(), repo, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// shows waits until every environment shows the commit of the branch.
func (l *lab) shows(t *testing.T, repo *v1alpha1.TestRepository, branch, at string) {
	t.Helper()
	l.Until(t, repo, "the cluster shows "+at, func() bool {
		shown := 0
		for _, c := range repo.Status.Catalogs {
			if c.Branch == branch && c.Commit == at {
				shown++
			}
		}
		return shown == len(repo.Spec.Environments)
	})
}

// suites gives the names of the objects and their versions.
func (l *lab) suites(t *testing.T) map[string]string {
	t.Helper()
	var list v1alpha1.TestSuiteList
	if err := l.List(t.Context(), &list, client.InNamespace("default")); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, s := range list.Items {
		versions[s.Name] = s.ResourceVersion
	}
	return versions
}

// untilSuites waits until these objects are there, and no others.
func (l *lab) untilSuites(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	diff := func() string { return cmp.Diff(want, slices.Sorted(maps.Keys(l.suites(t)))) }
	apiservertest.Until(t, "the TestSuites are as wanted", func() bool { return diff() == "" }, func() any { return diff() })
}

func (l *lab) suite(t *testing.T, name string) *v1alpha1.TestSuite {
	t.Helper()
	s := &v1alpha1.TestSuite{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	l.Read(t, s)
	return s
}

// event waits for one that says all of this.
func (l *lab) event(t *testing.T, words ...string) {
	t.Helper()
	for {
		select {
		case text := <-l.recorded.Events:
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
				return
			}
		case <-time.After(time.Minute):
			t.Fatalf("no event says %q", words)
		}
	}
}

// metric gives the value of a metric of ours; 0 when there is none.
func metric(t *testing.T, name, repository, environment string) (value float64) {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == name && labels["repository"] == repository && labels["environment"] == environment {
				value = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return value
}

func hasDrifted(conditions []metav1.Condition) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		return c.Type == v1alpha1.DriftedCondition && c.Status == metav1.ConditionTrue
	})
}
