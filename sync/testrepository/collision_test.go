package testrepository

import (
	"maps"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// ofGit makes a TestRepository of a Git repository, created at a second.
func ofGit(name string, second int64, change func(*v1alpha1.TestRepository)) *v1alpha1.TestRepository {
	return repository(func(r *v1alpha1.TestRepository) {
		r.Name, r.UID, r.CreationTimestamp = name, types.UID(name), metav1.Unix(1e9+second, 0)
		r.Spec.Provider = v1alpha1.ProviderGitea
		if change != nil {
			change(r)
		}
	})
}

func TestOneCommitHasOneVerdictForEachContext(t *testing.T) {
	prefix := func(p string) func(*v1alpha1.TestRepository) {
		return func(r *v1alpha1.TestRepository) { r.Spec.StatusPrefix = p }
	}
	environments := func(names ...string) func(*v1alpha1.TestRepository) {
		return func(r *v1alpha1.TestRepository) {
			r.Spec.Environments = nil
			for _, n := range names {
				r.Spec.Environments = append(r.Spec.Environments, v1alpha1.EnvironmentRef{Name: n})
			}
		}
	}
	strangers := func(r *v1alpha1.TestRepository) { r.Namespace = "strangers" }
	suspended := func(r *v1alpha1.TestRepository) { r.Spec.Suspend = true }
	shouted := func(r *v1alpha1.TestRepository) {
		r.Spec.URL = strings.ToUpper(r.Spec.URL[8:])
		r.Spec.URL = "https://" + r.Spec.URL
	}
	plain := func(r *v1alpha1.TestRepository) { r.Spec.Provider = v1alpha1.ProviderPlain }
	elsewhere := func(r *v1alpha1.TestRepository) { r.Spec.URL += "2" }
	leaving := func(r *v1alpha1.TestRepository) {
		r.DeletionTimestamp, r.Finalizers = &r.CreationTimestamp, []string{"example.org/wait"}
	}
	type change = func(*v1alpha1.TestRepository)
	type crowd map[string]change
	for name, c := range map[string]struct {
		others crowd //  in the order of their names, a second apart
		second int64 // when this one was created
		change change
		want   string // whose contexts they are
	}{
		"alone":                 {nil, 9, nil, ""},
		"the younger one":       {crowd{"1": nil}, 9, nil, `are those of the TestRepository "team/1"`},
		"the older one":         {crowd{"1": nil}, 0, nil, ""},
		"the smaller UID":       {crowd{"1": nil}, 1, nil, "team/1"},
		"another prefix":        {crowd{"1": nil}, 9, prefix("assay/search"), ""},
		"the same prefix":       {crowd{"1": prefix("mono")}, 9, prefix("mono"), "mono/staging"},
		"other environments":    {crowd{"1": environments("prod")}, 9, environments("staging"), ""},
		"one in common":         {crowd{"1": environments("prod", "qa")}, 9, environments("qa", "staging"), "assay/qa"},
		"no such environment":   {crowd{"1": environments("nowhere")}, 9, environments("nowhere"), ""},
		"it is not admitted":    {crowd{"1": strangers}, 9, nil, ""},
		"it is suspended":       {crowd{"1": suspended}, 9, nil, "team/1"},
		"in other letters":      {crowd{"1": shouted}, 9, nil, "team/1"},
		"it is being deleted":   {crowd{"1": leaving}, 9, nil, ""},
		"it sets no statuses":   {crowd{"1": plain}, 9, nil, ""},
		"this one sets none":    {crowd{"1": nil}, 9, plain, ""},
		"of another repository": {crowd{"1": elsewhere}, 9, nil, ""},
		"who is held up holds up nobody": {crowd{"1": environments("qa"), "2": environments("qa", "staging")},
			9, environments("staging"), ""},
		"a suite there is an environment here": {crowd{"1": nil}, 9, prefix("assay/staging"), "assay/staging"},
	} {
		t.Run(name, func(t *testing.T) {
			repo := ofGit("shop", c.second, c.change)
			all := []*v1alpha1.TestRepository{repo}
			for i, other := range slices.Sorted(maps.Keys(c.others)) {
				all = append(all, ofGit(other, int64(i)+1, c.others[other]))
			}
			err := newCrowd(t, all...).checkContexts(t.Context(), repo)
			if c.want == "" && err == nil {
				return
			}
			if err == nil || c.want == "" ||
				fault.ReasonOf(err) != fault.ContextTaken || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// newCrowd gives a reconciler that sees the repositories and three environments, which admit
// those of the namespace team.
func newCrowd(t *testing.T, repos ...*v1alpha1.TestRepository) *Reconciler {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	b := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.TestRepository{})
	for name, values := range Indices() {
		b.WithIndex(&v1alpha1.TestRepository{}, name, values)
	}
	for _, name := range []string{"staging", "prod", "qa"} {
		env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}}
		env.Spec.Repositories = []v1alpha1.RepositoryAdmission{{Namespace: "team", Name: "*"}}
		b.WithObjects(env)
	}
	for _, repo := range repos {
		b.WithObjects(repo.DeepCopy())
	}
	return &Reconciler{Client: b.Build(), Events: events.NewFakeRecorder(10)}
}

func TestARepositoryWhoseContextsAreTakenIsNotPolled(t *testing.T) {
	repo := ofGit("shop", 2, nil)
	r := newCrowd(t, ofGit("other", 1, nil), repo)
	r.Refs = during(func() error { t.Error("the host was asked"); return nil })
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(repo)}
	if _, err := r.Reconcile(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if err := r.Get(t.Context(), request.NamespacedName, repo); err != nil {
		t.Fatal(err)
	}
	stands := map[string]string{}
	for _, c := range repo.Status.Conditions {
		stands[c.Type] = string(c.Status) + " " + c.Reason
	}
	ready, stalled := stands[v1alpha1.ReadyCondition], stands[v1alpha1.StalledCondition]
	if ready != "False ContextTaken" || stalled != "True ContextTaken" {
		t.Errorf("it stands %v", stands)
	}
}

func TestOneGitRepositoryHasManyURLs(t *testing.T) {
	const want = "git.example/team/shop"
	for _, same := range []string{"https://git.example/team/shop", "https://GIT.example/team/shop.git",
		"https://git.example:443/team/shop/", "http://git.example:80/team/shop.git/",
		"ssh://git@git.example/team/shop.git",
		"ssh://git@git.example:22//team/shop", "ssh://git@git.example:2222/team/shop", "https://git.example/Team/shop"} {
		if got := gitRepository(same); got != want {
			t.Errorf("%s is %q, want %q", same, got, want)
		}
	}
	for _, other := range []string{"https://git.example:8443/team/shop",
		"https://git.example/team/shop2", "https://git.example/shop", "https://other.example/team/shop"} {
		if got := gitRepository(other); got == want {
			t.Errorf("%s is %q", other, got)
		}
	}
}
