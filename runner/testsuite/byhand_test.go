package testsuite

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestMadeByHandIsToldOnce: an object that no repository shows says that nobody reads it, by one write and one event.
func TestMadeByHandIsToldOnce(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	owners := []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "TestRepository", Name: "shop", UID: "1", Controller: ptr.To(true),
	}}
	managed := func(by string) map[string]string { return map[string]string{v1alpha1.ManagedByLabel: by} }
	for name, c := range map[string]struct {
		object metav1.ObjectMeta
		told   bool
	}{
		"applied by hand":            {metav1.ObjectMeta{Labels: map[string]string{"app": "shop"}}, true},
		"made by another tool":       {metav1.ObjectMeta{Labels: managed("Helm")}, true},
		"shown":                      {metav1.ObjectMeta{Labels: managed(v1alpha1.ManagedBy), OwnerReferences: owners}, false},
		"shown, its labels are gone": {metav1.ObjectMeta{OwnerReferences: owners}, false},
		"shown, its owner is gone":   {metav1.ObjectMeta{Labels: managed(v1alpha1.ManagedBy)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.object.Namespace, c.object.Name = "team", "smoke"
			suite := &v1alpha1.TestSuite{ObjectMeta: c.object}
			writes := 0
			counting := interceptor.Funcs{SubResourcePatch: func(
				ctx context.Context, inner client.Client, subresource string, o client.Object, p client.Patch,
				options ...client.SubResourcePatchOption,
			) error {
				writes++
				return inner.SubResource(subresource).Patch(ctx, o, p, options...)
			}}
			recorded := events.NewFakeRecorder(10)
			r := &ByHand{Events: recorded, Client: fake.NewClientBuilder().WithScheme(scheme).
				WithObjects(suite).WithStatusSubresource(suite).WithInterceptorFuncs(counting).Build()}
			request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(suite)}
			for range 3 {
				if _, err := r.Reconcile(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
			want := 0
			if c.told {
				want = 1
			}
			if writes != want || len(recorded.Events) != want {
				t.Fatalf("%d writes and %d events, want %d", writes, len(recorded.Events), want)
			}
			if !c.told {
				return
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(suite), suite); err != nil {
				t.Fatal(err)
			}
			condition := meta.FindStatusCondition(suite.Status.Conditions, v1alpha1.FromGitCondition)
			if condition == nil || condition.Status != metav1.ConditionFalse || !strings.Contains(condition.Message, "commit it under tests/") {
				t.Errorf("the condition is %+v", condition)
			}
			if event := <-recorded.Events; !strings.Contains(event, "runs come from Git") {
				t.Errorf("the event is %q", event)
			}
		})
	}
}

func TestNobodyIsToldOfWhatIsGone(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	r := &ByHand{Client: fake.NewClientBuilder().WithScheme(scheme).Build(), Events: events.NewFakeRecorder(1)}
	gone := ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "team", Name: "gone"}}
	if _, err := r.Reconcile(t.Context(), gone); err != nil {
		t.Error(err)
	}
}
