package testenvironment

import (
	"context"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// What is missing is said with the command that mends it, noticed again within ten seconds once it
// is there, and within a minute once it is gone.
func TestReadyFollowsNamespaceRightsAndSuspension(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, authorizationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Spec: v1alpha1.TestEnvironmentSpec{Namespace: "shop-staging"}}
	forbidden, patches := "", 0
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(env).WithStatusSubresource(env).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			review, ok := o.(*authorizationv1.SelfSubjectAccessReview)
			if !ok {
				return c.Create(ctx, o, options...)
			}
			asked := review.Spec.ResourceAttributes
			review.Status.Allowed = asked.Namespace == "shop-staging" && asked.Resource == "pods" && asked.Verb != forbidden
			return nil
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
			patches++
			return c.SubResource(sub).Patch(ctx, o, p, options...)
		},
	}).Build()
	r := &Reconciler{Client: c, Live: c, Grantee: "--serviceaccount=ours:assay-controller"}
	const command = "(kubectl create rolebinding assay -n shop-staging --clusterrole=assay-environment --serviceaccount=ours:assay-controller)"
	suspend := func(suspend bool) {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(env), env); err != nil {
			t.Fatal(err)
		}
		env.Spec.Suspend = suspend
		if err := c.Update(t.Context(), env); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name    string
		change  func()
		status  metav1.ConditionStatus
		message string
	}{
		{"no namespace", func() {}, metav1.ConditionFalse, `there is no namespace "shop-staging" (create it)`},
		{"no right", func() {
			forbidden = "create"
			if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop-staging"}}); err != nil {
				t.Fatal(err)
			}
		}, metav1.ConditionFalse, `may not create pods in the namespace "shop-staging" ` + command},
		{"a right", func() { forbidden = "" }, metav1.ConditionTrue, "suites can run"},
		{"suspended", func() { suspend(true) }, metav1.ConditionUnknown, "suspended"},
		{"suspended, and a right is taken away", func() { forbidden = "delete" }, metav1.ConditionFalse, command},
		{"resumed", func() { forbidden = ""; suspend(false) }, metav1.ConditionTrue, "suites can run"},
		{"a right to patch is taken away", func() { forbidden = "patch" }, metav1.ConditionFalse, "may not patch pods"},
	} {
		step.change()
		var result ctrl.Result
		for range 2 {
			var err error
			if result, err = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(env)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(env), env); err != nil {
			t.Fatal(err)
		}
		ready := meta.FindStatusCondition(env.Status.Conditions, v1alpha1.ReadyCondition)
		if ready == nil || ready.Status != step.status || !strings.Contains(ready.Message, step.message) {
			t.Errorf("%s: it says %+v", step.name, ready)
		}
		soon := recheck
		if step.status == metav1.ConditionFalse {
			soon = missing
		}
		if result.RequeueAfter != soon || soon.Seconds() > 60 {
			t.Errorf("%s: it is looked at again after %s", step.name, result.RequeueAfter)
		}
		if patches != 1 {
			t.Errorf("%s: two looks wrote %d times", step.name, patches)
		}
		patches = 0
	}
}
