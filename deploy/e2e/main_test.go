//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

var w *world.World

func TestMain(m *testing.M) {
	var err error
	if w, err = world.Connect(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// patience bounds every wait of a test: generous, since the machine may be busy.
const patience = 4 * time.Minute

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// unique gives a name that no earlier run of the tests has used.
func unique(name string) string { return "e2e-" + name + "-" + strings.ToLower(rand.Text()[:6]) }

func newTenant(t *testing.T, name string, change func(*v1alpha1.TestEnvironment)) *world.Tenant {
	t.Helper()
	tenant, err := w.NewTenant(deadline(t), unique(name), change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tenant.Remove(ctx); err != nil {
			t.Errorf("removing the tenant: %v", err)
		}
	})
	return tenant
}

// newSecret makes a Secret in the tenant's namespace, and gives a reference to it.
func newSecret(t *testing.T, tenant *world.Tenant, name string, data map[string]string) v1alpha1.LocalReference {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tenant.Name, Name: name}, StringData: data}
	if err := w.Client.Create(deadline(t), secret); err != nil {
		t.Fatal(err)
	}
	return v1alpha1.LocalReference{Name: name}
}

// runsOf gives the runs in the tenant's namespace that have these labels.
func runsOf(t *testing.T, tenant *world.Tenant, labels client.MatchingLabels) []v1alpha1.TestRun {
	t.Helper()
	var runs v1alpha1.TestRunList
	if err := w.Client.List(deadline(t), &runs, client.InNamespace(tenant.Name), labels); err != nil {
		t.Fatal(err)
	}
	return runs.Items
}

// newRepository makes a repository on Gitea and pushes files to main.
func newRepository(t *testing.T, name string, files map[string]string) (repo *world.Repository, commit string) {
	t.Helper()
	repo, err := w.NewRepository(unique(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := repo.Delete(); err != nil {
			t.Errorf("removing the repository: %v", err)
		}
	})
	return repo, push(t, repo, "main", files)
}

func push(t *testing.T, repo *world.Repository, branch string, files map[string]string) string {
	t.Helper()
	data := map[string][]byte{}
	for path, text := range files {
		data[path] = []byte(text)
	}
	commit, err := repo.Push(deadline(t), branch, data)
	if err != nil {
		t.Fatal(err)
	}
	return commit
}

// shell is a suite that runs a script in the shell image and is judged by its exit code.
func shell(name, script string, more ...string) string {
	lines := []string{
		"apiVersion: assay.dev/v1alpha1", "kind: TestSuite", "metadata: {name: " + name + "}", "spec:",
		"  tool: container", "  image: " + world.ShellImage, fmt.Sprintf("  command: [sh, -c, %q]", script),
	}
	return strings.Join(append(lines, more...), "\n") + "\n"
}

// catalog is a tests folder with the suites, by file name, and an overlay for the environment.
func catalog(environment string, suites map[string]string) map[string]string {
	files := map[string]string{
		"tests/overlays/" + environment + "/kustomization.yaml": "resources: [../..]\n",
	}
	var resources []string
	for name, text := range suites {
		files["tests/"+name] = text
		resources = append(resources, name)
	}
	files["tests/kustomization.yaml"] = "resources: [" + strings.Join(resources, ", ") + "]\n"
	return files
}

func with(files map[string]string, more map[string]string) map[string]string {
	all := maps.Clone(files)
	maps.Copy(all, more)
	return all
}

func suite(t *testing.T, run *v1alpha1.TestRun, name string) v1alpha1.SuiteStatus {
	t.Helper()
	for _, s := range run.Status.Suites {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("the run has no suite %q: %+v", name, run.Status)
	return v1alpha1.SuiteStatus{}
}

// expectStatus waits for the status of the environment on the commit.
func expectStatus(t *testing.T, repo *world.Repository, commit, environment, state, text string) {
	t.Helper()
	seen := ""
	err := world.Until(deadline(t), fmt.Sprintf("assay/%s is %s", environment, state), func(context.Context) (bool, error) {
		statuses, err := repo.Statuses(commit)
		if err != nil {
			return false, err
		}
		s := statuses["assay/"+environment]
		seen = fmt.Sprintf("%s: %s", s.State, s.Description)
		return string(s.State) == state && strings.Contains(s.Description, text), nil
	})
	if err != nil {
		t.Errorf("%v (want %q in it); it is %s", err, text, seen)
	}
}
