//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EBadCatalog has a repository for everything that can be wrong with a catalog, all in
// one tenant, beside an honest one that goes on.
func TestE2EBadCatalog(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "catalog", nil)
	good := map[string]string{"good.yaml": shell("good", "true")}
	cases := []struct {
		name    string
		files   map[string]string
		reason  fault.Reason
		message string
	}{
		{"broken yaml", with(catalog(tenant.Name, good), map[string]string{"tests/good.yaml": "kind: TestSuite\n  spec: ["}), fault.InvalidCatalog, "tests/good.yaml"},
		{"unknown field", with(catalog(tenant.Name, good), map[string]string{"tests/good.yaml": shell("good", "true", "  tiemout: 5m")}), fault.InvalidCatalog, "tests/good.yaml:8"},
		{"two suites of one name", catalog(tenant.Name, map[string]string{"a.yaml": shell("same", "true"), "b.yaml": shell("same", "false")}), fault.InvalidCatalog, "same"},
		{"missing overlay", catalog("elsewhere", good), fault.OverlayNotFound, "tests/overlays/" + tenant.Name},
		{"no folder", map[string]string{"tests": "nothing here\n"}, fault.InvalidCatalog, "tests"},
		{"remote base", with(catalog(tenant.Name, good), map[string]string{"tests/kustomization.yaml": "resources: ['https://evil.example/base?ref=main']\n"}), fault.RemoteReferenceRefused, "tests/kustomization.yaml"},
		{"file over the limit", with(catalog(tenant.Name, good), map[string]string{"tests/big.bin": strings.Repeat("x", 9<<20)}), fault.LimitExceeded, "tests/big.bin"},
	}
	honest, honestCommit := newRepository(t, "honest", catalog(tenant.Name, good))
	if _, err := tenant.Sync(deadline(t), honest, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			repo, commit := newRepository(t, strings.ReplaceAll(c.name, " ", "-"), c.files)
			if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
				t.Fatal(err)
			}
			expectErrored(t, tenant, repo, commit, c.reason, c.message)
		})
	}
	run, err := tenant.FinalRun(deadline(t), honestCommit, v1alpha1.CausePush)
	if err != nil || run.Status.State != v1alpha1.StatePassed {
		t.Errorf("the honest repository beside: %v, %+v", err, run.Status)
	}
	expectStatus(t, honest, honestCommit, tenant.Name, "success", "")
}

func TestE2ESymlinkIsRefused(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "symlink", nil)
	repo, _ := newRepository(t, "symlink", catalog(tenant.Name, map[string]string{"good.yaml": shell("good", "true")}))
	commit, err := repo.PushSymlink(deadline(t), "main", "tests/good.yaml", "/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectErrored(t, tenant, repo, commit, fault.SymlinkRefused, "tests/good.yaml")
}

func expectErrored(t *testing.T, tenant *world.Tenant, repo *world.Repository, commit string, reason fault.Reason, message string) {
	t.Helper()
	run, err := tenant.FinalRun(deadline(t), commit, v1alpha1.CausePush)
	if err != nil {
		t.Fatal(err)
	}
	if !isErrored(run, reason, message) {
		t.Errorf("the run stands at %+v; want %s, naming %q", run.Status, reason, message)
	}
	expectStatus(t, repo, commit, tenant.Name, "error", "")
}

func isErrored(run *v1alpha1.TestRun, reason fault.Reason, message string) bool {
	ready := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.ReadyCondition)
	return run.Status.State == v1alpha1.StateErrored && ready != nil && ready.Reason == string(reason) && strings.Contains(ready.Message, message)
}

// TestE2EBadSuite has one catalog with a suite for everything that can go wrong in a pod; the
// good one beside them passes.
func TestE2EBadSuite(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "suite", func(env *v1alpha1.TestEnvironment) {
		env.Spec.Limits.StartTimeout = &metav1.Duration{Duration: time.Minute}
		env.Spec.Images = []string{"assay.dev/**"}
	})
	junit := func(path string) string { return "  report: {format: junit, path: " + path + "}" }
	noImage := strings.ReplaceAll(shell("no-image", "true"), world.ShellImage, "assay.dev/there-is-no-such-image:1")
	forbidden := strings.ReplaceAll(shell("forbidden", "true"), world.ShellImage, "other.example/image:1")
	cases := []struct {
		suite, text string
		state       v1alpha1.RunState
		reason      fault.Reason
	}{
		{"good", shell("good", "true"), v1alpha1.StatePassed, ""},
		{"fails", shell("fails", "echo because; exit 3"), v1alpha1.StateFailed, fault.TestsFailed},
		{"no-image", noImage, v1alpha1.StateErrored, fault.ImagePullFailed},
		{"no-command", strings.Replace(shell("no-command", "true"), "[sh,", "[no-such-program,", 1), v1alpha1.StateErrored, fault.CommandNotFound},
		{"no-report", shell("no-report", "true", junit("out.xml")), v1alpha1.StateErrored, fault.ReportMissing},
		{"odd-report", shell("odd-report", "echo this is no XML > out.xml", junit("out.xml")), v1alpha1.StateErrored, fault.ReportInvalid},
		{"slow", shell("slow", "sleep 600", "  timeout: 2s"), v1alpha1.StateFailed, fault.TimedOut},
		{"forbidden", forbidden, v1alpha1.StateErrored, fault.PolicyViolation},
	}
	suites := map[string]string{}
	for _, c := range cases {
		suites[c.suite+".yaml"] = c.text
	}
	repo, commit := newRepository(t, "suites", catalog(tenant.Name, suites))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	run, err := tenant.FinalRun(deadline(t), commit, v1alpha1.CausePush)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got := suite(t, run, c.suite)
		if got.State != c.state || got.Reason != string(c.reason) {
			t.Errorf("%s is %s (%s): %s; want %s (%s)", c.suite, got.State, got.Reason, got.Message, c.state, c.reason)
		}
		if len(got.Attempts) > 1 {
			t.Errorf("%s was tried %d times", c.suite, len(got.Attempts))
		}
	}
	if run.Status.State != v1alpha1.StateFailed {
		t.Errorf("the run is %s", run.Status.State)
	}
	expectStatus(t, repo, commit, tenant.Name, "failure", "")
}

func TestE2EEnvironmentMustExistAndAdmit(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "admit", nil)
	closed := newTenant(t, "closed", func(env *v1alpha1.TestEnvironment) { env.Spec.Repositories = nil })
	repo, commit := newRepository(t, "admit", catalog(tenant.Name, map[string]string{"good.yaml": shell("good", "true")}))
	missing := unique("missing")
	_, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
		r.Spec.Environments = []v1alpha1.EnvironmentRef{{Name: tenant.Name}, {Name: closed.Name}, {Name: missing}}
	})
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, commit, tenant.Name, "success", "")
	expectStatus(t, repo, commit, closed.Name, "error", "does not admit")
	expectStatus(t, repo, commit, missing, "error", "no TestEnvironment")
}

func TestE2EUnreachableRepositories(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "reach", nil)
	repo, _ := newRepository(t, "reach", catalog(tenant.Name, map[string]string{"good.yaml": shell("good", "true")}))
	newSecret(t, tenant, "wrong", map[string]string{"username": "nobody", "password": "not-the-password"})
	cases := []struct {
		name   string
		change func(*v1alpha1.TestRepository)
		reason fault.Reason
	}{
		{"wrong credential", func(r *v1alpha1.TestRepository) { r.Spec.SecretRef.Name = "wrong" }, fault.AuthenticationFailed},
		{"no such secret", func(r *v1alpha1.TestRepository) { r.Spec.SecretRef.Name = "none" }, fault.SecretInvalid},
		{"no such repository", func(r *v1alpha1.TestRepository) { r.Spec.URL = strings.Replace(r.Spec.URL, repo.Name, "none", 1) }, fault.RepositoryNotFound},
		{"a host that does not answer", func(r *v1alpha1.TestRepository) {
			r.Spec.URL = "https://no-such-host.invalid/a/b"
		}, fault.HostUnreachable},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			object, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
				r.Name = fmt.Sprintf("broken-%d", i)
				r.Spec.StatusPrefix = r.Name // they are of one Git repository
				c.change(r)
			})
			if err != nil {
				t.Fatal(err)
			}
			err = world.Until(deadline(t), "the repository says why it is not ready", func(ctx context.Context) (bool, error) {
				err := w.Client.Get(ctx, client.ObjectKeyFromObject(object), object)
				ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ReadyCondition)
				return ready != nil && ready.Status == metav1.ConditionFalse && ready.Reason == string(c.reason), err
			})
			if err != nil {
				t.Errorf("%v; its conditions are %+v, want %s", err, object.Status.Conditions, c.reason)
			}
			if strings.Contains(fmt.Sprint(object.Status.Conditions), "not-the-password") {
				t.Error("the condition shows the credential")
			}
		})
	}
}
