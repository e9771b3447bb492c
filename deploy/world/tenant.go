package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Tenant is a namespace with a repository's credential in it and one environment that admits
// its repositories. Namespace, environment and pods' namespace have one name.
type Tenant struct {
	// Name of the namespace and of the environment.
	Name string

	world *World
}

// NewTenant makes one, as a platform team would.
func (w *World) NewTenant(ctx context.Context, name string, change func(*v1alpha1.TestEnvironment)) (*Tenant, error) {
	t := &Tenant{Name: name, world: w}
	env := &v1alpha1.TestEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.TestEnvironmentSpec{
			Namespace:    name,
			Repositories: []v1alpha1.RepositoryAdmission{{Namespace: name, Name: "*"}},
			// Nothing in the namespace is secret but what a test makes for its suites.
			Secrets: []string{"*"}, PullRequestSecrets: []string{"*"},
		},
	}
	if change != nil {
		change(env)
	}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "git"},
			StringData: map[string]string{"username": w.User, "password": w.Token},
		},
		t.binding("assay-environment"),
		t.binding("assay-repository"),
		env,
	}
	for _, o := range objects {
		if err := w.Client.Create(ctx, o); err != nil {
			return nil, fmt.Errorf("creating %T %q: %w", o, o.GetName(), err)
		}
	}
	return t, nil
}

func (t *Tenant) binding(role string) client.Object {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Name, Name: role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "assay-system", Name: "assay-controller"}},
	}
}

// Sync makes a TestRepository for the repository, which is polled every two seconds.
func (t *Tenant) Sync(ctx context.Context, repo *Repository, change func(*v1alpha1.TestRepository)) (*v1alpha1.TestRepository, error) {
	object := &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Name, Name: repo.Name},
		Spec: v1alpha1.TestRepositorySpec{
			URL:          repo.URL,
			Provider:     v1alpha1.ProviderGitea,
			SecretRef:    &v1alpha1.LocalReference{Name: "git"},
			Interval:     metav1.Duration{Duration: 2 * time.Second},
			Environments: []v1alpha1.EnvironmentRef{{Name: t.Name}},
		},
	}
	if change != nil {
		change(object)
	}
	if err := t.world.Client.Create(ctx, object); err != nil {
		return nil, fmt.Errorf("creating the TestRepository %q: %w", object.Name, err)
	}
	return object, nil
}

// Remove takes the tenant away: repositories and runs first, whose finalizers need the
// controller's rights in the namespace.
func (t *Tenant) Remove(ctx context.Context) error {
	c := t.world.Client
	err := errors.Join(
		c.DeleteAllOf(ctx, &v1alpha1.TestRepository{}, client.InNamespace(t.Name)),
		c.DeleteAllOf(ctx, &v1alpha1.TestRun{}, client.InNamespace(t.Name)))
	if err != nil {
		return err
	}
	err = Until(ctx, "the runs are gone", func(ctx context.Context) (bool, error) {
		var runs v1alpha1.TestRunList
		err := c.List(ctx, &runs, client.InNamespace(t.Name))
		return len(runs.Items) == 0, err
	})
	return errors.Join(err,
		client.IgnoreNotFound(c.Delete(ctx, &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: t.Name}})),
		client.IgnoreNotFound(c.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.Name}})))
}

// FinalRun waits for the run of the commit, of the cause, to end.
func (t *Tenant) FinalRun(ctx context.Context, commit string, cause v1alpha1.CauseType) (*v1alpha1.TestRun, error) {
	var found *v1alpha1.TestRun
	err := Until(ctx, fmt.Sprintf("the %s run of %.12s in %q has ended", cause, commit, t.Name), func(ctx context.Context) (bool, error) {
		var runs v1alpha1.TestRunList
		if err := t.world.Client.List(ctx, &runs, client.InNamespace(t.Name), client.MatchingLabels{v1alpha1.CommitLabel: commit}); err != nil {
			return false, err
		}
		for i := range runs.Items {
			if runs.Items[i].Spec.Cause.Type == cause {
				found = &runs.Items[i]
			}
		}
		return found != nil && found.Status.State.Final(), nil
	})
	if err != nil && found != nil {
		err = fmt.Errorf("%w; it is %s: %s", err, found.Status.State, found.Status.Message)
	}
	return found, err
}
