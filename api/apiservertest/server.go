// Package apiservertest runs reconcilers on a real API server, without nodes.
//
// In: KUBEBUILDER_ASSETS, which names its programs, and the manifests below deploy. Out: a
// client for the test, managers for what is tested, and waiting for what becomes of objects.
// Tests that use it are in packages two folders below the root, and have the tag apiserver.
package apiservertest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/runs"
)

// patience bounds every wait: generous, since the machine may be busy.
const patience = time.Minute

// Server is an API server of a test's own, which has our kinds.
type Server struct {
	// Client of an administrator.
	client.Client
	// Config of that client.
	Config *rest.Config

	env *envtest.Environment
}

// Start starts one, until the test ends.
func Start(t *testing.T) *Server {
	t.Helper()
	env := &envtest.Environment{CRDDirectoryPaths: []string{"../../deploy/crds"}, ErrorIfCRDPathMissing: true}
	cfg, err := env.Start()
	if err != nil {
		t.Fatalf("starting an API server (KUBEBUILDER_ASSETS=%q): %v", os.Getenv("KUBEBUILDER_ASSETS"), err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Errorf("stopping the API server: %v", err)
		}
	})
	ctrl.SetLogger(testr.New(t))
	s := &Server{Config: cfg, env: env}
	if s.Client, err = client.New(cfg, client.Options{Scheme: scheme(t)}); err != nil {
		t.Fatal(err)
	}
	return s
}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	return s
}

// ControllerUser is who has the rights of the controller.
const ControllerUser = "assay-controller"

// Controller gives what the installation lets the controller do everywhere, and nothing more.
// It must be called once at most.
func (s *Server) Controller(t *testing.T) *rest.Config {
	t.Helper()
	role := clusterRole(t, "controller.yaml", "assay-controller")
	s.Make(t, role, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role.Name}, RoleRef: refTo(role), Subjects: controller()})
	s.untilGranted(t, "", role)
	user, err := s.env.AddUser(envtest.User{Name: ControllerUser}, s.Config)
	if err != nil {
		t.Fatal(err)
	}
	limited := user.Config()
	limited.QPS, limited.Burst = 1000, 1000
	return limited
}

// Grant lets the controller do in a namespace what one of the roles says that the installation
// has for that. It must be called once at most for each role.
func (s *Server) Grant(t *testing.T, namespace, role string) {
	t.Helper()
	r := clusterRole(t, "namespaces.yaml", role)
	s.Make(t, r, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role}, RoleRef: refTo(r), Subjects: controller()})
	s.untilGranted(t, namespace, r)
}

// untilGranted waits until the API server has learned of the role, a moment after it was made.
func (s *Server) untilGranted(t *testing.T, namespace string, role *rbacv1.ClusterRole) {
	t.Helper()
	rule := role.Rules[0]
	Until(t, "the role "+role.Name+" is granted", func() bool {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: ControllerUser, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: rule.Resources[0]}}}
		s.Make(t, review)
		return review.Status.Allowed
	}, func() any { return rule })
}

func refTo(role *rbacv1.ClusterRole) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
}

func controller() []rbacv1.Subject {
	return []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: ControllerUser}}
}

// clusterRole reads one of the installation's.
func clusterRole(t *testing.T, file, name string) *rbacv1.ClusterRole {
	t.Helper()
	data, err := os.ReadFile("../../deploy/rbac/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		role := &rbacv1.ClusterRole{}
		if err := yaml.Unmarshal([]byte(document), role); err != nil {
			t.Fatal(err)
		}
		if role.Kind == "ClusterRole" && role.Name == name {
			return role
		}
	}
	t.Fatalf("%s has no ClusterRole %q", file, name)
	return nil
}

// Run starts a manager with the indices of runs and what setup registers. It must be stopped
// before the test ends; a test may start another then, as a controller that was killed is
// started again.
func (s *Server) Run(t *testing.T, cfg *rest.Config, setup func(context.Context, ctrl.Manager) error) (stop func()) {
	t.Helper()
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: s.Scheme(), Metrics: server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := errors.Join(runs.Index(ctx, mgr.GetFieldIndexer()), setup(ctx, mgr)); err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the manager: %v", err)
		}
	}
}

// Make creates objects.
func (s *Server) Make(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := s.Create(t.Context(), o); err != nil {
			t.Fatalf("creating %T %q: %v", o, o.GetName(), err)
		}
	}
}

// Read gets the object as it is now.
func (s *Server) Read(t *testing.T, o client.Object) {
	t.Helper()
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
}

// Change gets the object, and writes what change makes of it, as somebody would.
func (s *Server) Change(t *testing.T, o client.Object, change func()) {
	t.Helper()
	s.Read(t, o)
	before := o.DeepCopyObject().(client.Object)
	change()
	if err := s.Patch(t.Context(), o, client.MergeFrom(before), client.FieldOwner("somebody")); err != nil {
		t.Fatal(err)
	}
}

// Until waits for something to be so; the test ends when it never is. last tells how it stood
// at the end.
func Until(t *testing.T, what string, is func() bool, last func() any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(context.Context) (bool, error) { return is(), nil })
	if err != nil {
		t.Fatalf("waiting until %s: %v; it is %+v", what, err, last())
	}
}

// Until reads the object again and again until it is so. An object that is not there is read
// again, too.
func (s *Server) Until(t *testing.T, o client.Object, what string, is func() bool) {
	t.Helper()
	Until(t, what, func() bool {
		err := s.Get(t.Context(), client.ObjectKeyFromObject(o), o)
		if client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
		return err == nil && is()
	}, func() any { return o })
}
