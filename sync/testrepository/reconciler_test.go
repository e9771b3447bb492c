package testrepository

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

// during is what happens while a host is asked, and how it answers.
type during func() error

func (d during) Refs(context.Context, git.Endpoint, ...string) (git.Refs, error) {
	return git.Refs{}, d()
}

func (during) MergeBase(context.Context, git.Endpoint, string, string) (string, bool, error) {
	return "", false, nil
}

// newPolled gives a repository on plain Git, and a reconciler that polls it.
func newPolled(t *testing.T) (*Reconciler, *v1alpha1.TestRepository) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	repo := repository(func(r *v1alpha1.TestRepository) { r.Spec.Provider = v1alpha1.ProviderPlain })
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(repo).WithStatusSubresource(repo).Build()
	plain := map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderPlain: func(context.Context, providers.Config) (providers.Forge, error) {
		return providers.Forge{}, nil
	}}
	return &Reconciler{Client: c, Access: NewAccess(c, plain, nil), Events: events.NewFakeRecorder(10)}, repo
}

func TestARepositoryThatIsDeletedDuringItsPollIsNoError(t *testing.T) {
	r, repo := newPolled(t)
	r.Refs = during(func() error {
		if err := r.Delete(t.Context(), repo.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		return fault.New(fault.HostFailed, fault.Place{}, "", "it fails, which there is nobody to tell")
	})
	_, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(repo)})
	if fault.ReasonOf(err) != fault.HostFailed {
		t.Errorf("got %v", err)
	}
}

// TestNoPlaceOnTheHostIsNoNews: such a poll says nothing of the repository.
func TestNoPlaceOnTheHostIsNoNews(t *testing.T) {
	r, repo := newPolled(t)
	r.Refs = during(func() error { return fault.New(fault.HostBusy, fault.Place{}, "", "enough is waiting") })
	result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(repo)})
	if err != nil || result.RequeueAfter == 0 {
		t.Errorf("got %+v, %v", result, err)
	}
	if err := r.Get(t.Context(), client.ObjectKeyFromObject(repo), repo); err != nil || len(repo.Status.Conditions) > 0 {
		t.Errorf("the conditions are %+v, %v", repo.Status.Conditions, err)
	}
}
