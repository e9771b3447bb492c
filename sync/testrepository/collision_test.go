package testrepository

import (
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
	other := ofGit("other", 1, nil)
	for name, c := range map[string]struct {
		older []*v1alpha1.TestRepository
		repo  *v1alpha1.TestRepository
		want  string // whose contexts they are
	}{
		"alone":           {nil, ofGit("shop", 2, nil), ""},
		"the younger one": {[]*v1alpha1.TestRepository{other}, ofGit("shop", 2, nil), `"assay/staging" are those of the TestRepository "team/other"`},
		"the older one":   {[]*v1alpha1.TestRepository{ofGit("other", 3, nil)}, ofGit("shop", 2, nil), ""},
		"in the same second the smaller UID is older": {[]*v1alpha1.TestRepository{ofGit("a", 2, nil)}, ofGit("shop", 2, nil), "team/a"},
		"another prefix":      {[]*v1alpha1.TestRepository{other}, ofGit("shop", 2, prefix("assay/search")), ""},
		"the same prefix":     {[]*v1alpha1.TestRepository{ofGit("other", 1, prefix("mono"))}, ofGit("shop", 2, prefix("mono")), "mono/staging"},
		"other environments":  {[]*v1alpha1.TestRepository{ofGit("other", 1, environments("prod"))}, ofGit("shop", 2, environments("staging")), ""},
		"one in common":       {[]*v1alpha1.TestRepository{ofGit("other", 1, environments("prod", "qa"))}, ofGit("shop", 2, environments("qa", "staging")), "assay/qa"},
		"not the environment": {[]*v1alpha1.TestRepository{ofGit("other", 1, environments("nowhere"))}, ofGit("shop", 2, environments("nowhere")), ""},
		"it is not admitted": {[]*v1alpha1.TestRepository{ofGit("other", 1, func(r *v1alpha1.TestRepository) { r.Namespace = "strangers" })},
			ofGit("shop", 2, nil), ""},
		"it is suspended": {[]*v1alpha1.TestRepository{ofGit("other", 1, func(r *v1alpha1.TestRepository) { r.Spec.Suspend = true })},
			ofGit("shop", 2, nil), ""},
		"it is being deleted": {[]*v1alpha1.TestRepository{ofGit("other", 1, func(r *v1alpha1.TestRepository) {
			r.DeletionTimestamp, r.Finalizers = &r.CreationTimestamp, []string{"example.org/wait"}
		})}, ofGit("shop", 2, nil), ""},
		"it sets no statuses": {[]*v1alpha1.TestRepository{ofGit("other", 1, func(r *v1alpha1.TestRepository) { r.Spec.Provider = v1alpha1.ProviderPlain })},
			ofGit("shop", 2, nil), ""},
		"this one sets none": {[]*v1alpha1.TestRepository{other}, ofGit("shop", 2, func(r *v1alpha1.TestRepository) { r.Spec.Provider = v1alpha1.ProviderPlain }), ""},
		"another Git repository": {[]*v1alpha1.TestRepository{ofGit("other", 1, func(r *v1alpha1.TestRepository) { r.Spec.URL += "2" })},
			ofGit("shop", 2, nil), ""},
		"who is held up holds up nobody": {[]*v1alpha1.TestRepository{ofGit("a", 1, environments("qa")), ofGit("b", 2, environments("qa", "staging"))},
			ofGit("shop", 3, environments("staging")), ""},
		"a suite there is an environment here": {[]*v1alpha1.TestRepository{other}, ofGit("shop", 2, prefix("assay/staging")), "assay/staging"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCrowd(t, append(c.older, c.repo)...)
			err := r.checkContexts(t.Context(), c.repo)
			if (err == nil) != (c.want == "") || err != nil && (fault.ReasonOf(err) != fault.ContextTaken || !strings.Contains(err.Error(), c.want)) {
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
	if stands[v1alpha1.ReadyCondition] != "False ContextTaken" || stands[v1alpha1.StalledCondition] != "True ContextTaken" {
		t.Errorf("it stands %v", stands)
	}
}

func TestOneGitRepositoryHasManyURLs(t *testing.T) {
	const want = "git.example/team/shop"
	for _, same := range []string{"https://git.example/team/shop", "https://GIT.example/team/shop.git", "https://git.example:443/team/shop/",
		"http://git.example:80/team/shop.git/", "ssh://git@git.example/team/shop.git", "ssh://git@git.example:22//team/shop"} {
		if got := gitRepository(same); got != want {
			t.Errorf("%s is %q, want %q", same, got, want)
		}
	}
	for _, other := range []string{"https://git.example/team/Shop", "https://git.example:8443/team/shop", "https://git.example/team/shop2",
		"https://git.example/shop", "https://other.example/team/shop"} {
		if got := gitRepository(other); got == want {
			t.Errorf("%s is %q", other, got)
		}
	}
}
