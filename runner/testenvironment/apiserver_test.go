//go:build apiserver

package testenvironment

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// unreadable is an API server that does not answer.
type unreadable struct{ client.Reader }

func (unreadable) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("down")
}

// lab is the reconciler on a real API server, with the rights of the installed controller.
type lab struct {
	*apiservertest.Server
	reconciler *Reconciler
}

// environment creates one whose namespace is called like it.
func (l *lab) environment(t *testing.T, name string) *v1alpha1.TestEnvironment {
	t.Helper()
	env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TestEnvironmentSpec{Namespace: name}}
	l.Make(t, env)
	return env
}

func (l *lab) namespace(t *testing.T, name string) {
	t.Helper()
	l.Make(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// look reconciles and gives the condition, and the result.
func (l *lab) look(t *testing.T, env *v1alpha1.TestEnvironment) (metav1.Condition, ctrl.Result, error) {
	t.Helper()
	result, err := l.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(env)})
	l.Read(t, env)
	ready := meta.FindStatusCondition(env.Status.Conditions, v1alpha1.ReadyCondition)
	if ready == nil {
		t.Fatalf("there is no condition: %+v", env.Status)
	}
	return *ready, result, err
}

// expect looks and compares what is said. What somebody has to mend is looked at again sooner.
func (l *lab) expect(t *testing.T, env *v1alpha1.TestEnvironment, status metav1.ConditionStatus, reason, text string) {
	t.Helper()
	ready, result, err := l.look(t, env)
	if err != nil || ready.Status != status || ready.Reason != reason || !strings.Contains(ready.Message, text) || ready.ObservedGeneration != env.Generation {
		t.Errorf("it says %+v, error %v; want %s with %q", ready, err, reason, text)
	}
	want := recheck
	if status == metav1.ConditionFalse {
		want = missing
	}
	if result.RequeueAfter != want {
		t.Errorf("it is looked at again after %s, want %s", result.RequeueAfter, want)
	}
}

func TestAPIServerWhetherAnEnvironmentCanBeUsed(t *testing.T) {
	l := &lab{Server: apiservertest.Start(t)}
	controller := l.Controller(t)
	limited, err := client.New(controller, client.Options{Scheme: l.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	l.reconciler = &Reconciler{Client: limited, Live: limited}

	t.Run("what is missing is said, until nothing is", func(t *testing.T) {
		env := l.environment(t, "staging")
		l.expect(t, env, metav1.ConditionFalse, string(fault.InvalidSpec), `there is no namespace "staging" (create it)`)
		l.namespace(t, "staging")
		l.expect(t, env, metav1.ConditionFalse, string(fault.InvalidSpec), `may not create pods in the namespace "staging" (kubectl create rolebinding assay -n staging --clusterrole=assay-environment --serviceaccount=`)
		l.Grant(t, "staging", "assay-environment")
		l.expect(t, env, metav1.ConditionTrue, v1alpha1.SucceededReason, `in the namespace "staging"`)
	})
	t.Run("a suspension is said", func(t *testing.T) {
		env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}}
		l.Change(t, env, func() { env.Spec.Suspend = true })
		l.expect(t, env, metav1.ConditionUnknown, v1alpha1.SuspendedReason, "suspended")
		l.Change(t, env, func() { env.Spec.Suspend = false })
		l.expect(t, env, metav1.ConditionTrue, v1alpha1.SucceededReason, `in the namespace "staging"`)
	})
	t.Run("nothing is written when nothing changed", func(t *testing.T) {
		env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}}
		l.Read(t, env)
		before := env.ResourceVersion
		if _, _, err := l.look(t, env); err != nil || env.ResourceVersion != before {
			t.Errorf("it was written, error %v", err)
		}
	})
	t.Run("each right is asked for", func(t *testing.T) {
		for verb, granted := range map[string][]string{"create": {"patch", "delete"}, "patch": {"create", "delete"}, "delete": {"create", "patch"}} {
			name := "without-" + verb
			env := l.environment(t, name)
			l.namespace(t, name)
			l.Make(t,
				&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: name}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: granted}}},
				&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
					Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: apiservertest.ControllerUser}}})
			// The API server learns of a right a moment after it was granted.
			apiservertest.Until(t, "the rights are as granted", func() bool {
				ready, _, _ := l.look(t, env)
				return strings.Contains(ready.Message, "may not "+verb+" pods")
			}, func() any { return env.Status })
		}
	})
	t.Run("a right that is taken away is missed", func(t *testing.T) {
		env := &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}}
		binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "staging", Name: "assay-environment"}}
		if err := l.Delete(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		apiservertest.Until(t, "the right is gone", func() bool {
			ready, _, _ := l.look(t, env)
			return ready.Status == metav1.ConditionFalse && strings.Contains(ready.Message, "may not create pods")
		}, func() any { return env.Status })
	})
	t.Run("an API server that does not answer is asked again", func(t *testing.T) {
		env := l.environment(t, "unknown")
		broken := &lab{Server: l.Server, reconciler: &Reconciler{Client: limited, Live: unreadable{}}}
		ready, result, err := broken.look(t, env)
		if err == nil || result.RequeueAfter != 0 || ready.Status != metav1.ConditionFalse || ready.Reason != string(fault.InternalError) {
			t.Errorf("it says %+v, again after %s, error %v", ready, result.RequeueAfter, err)
		}
	})
	t.Run("an environment that is gone is nobody's concern", func(t *testing.T) {
		result, err := l.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: "nowhere"}})
		if err != nil || result.RequeueAfter != 0 {
			t.Errorf("got %+v, %v", result, err)
		}
	})
	t.Run("a spec that changes is looked at", func(t *testing.T) {
		stop := l.Run(t, controller, func(_ context.Context, mgr ctrl.Manager) error {
			return (&Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}).SetupWithManager(mgr)
		})
		defer stop()
		env := l.environment(t, "moved")
		said := func() string {
			if ready := meta.FindStatusCondition(env.Status.Conditions, v1alpha1.ReadyCondition); ready != nil {
				return ready.Message
			}
			return ""
		}
		l.Until(t, env, "it is looked at", func() bool { return strings.Contains(said(), `no namespace "moved"`) })
		l.Change(t, env, func() { env.Spec.Namespace = "elsewhere" })
		l.Until(t, env, "it is looked at again", func() bool {
			return strings.Contains(said(), `no namespace "elsewhere"`) && env.Status.ObservedGeneration == env.Generation
		})
	})
}
