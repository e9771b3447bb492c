//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"code.gitea.io/sdk/gitea"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// impatient lets suites wait for a ConfigMap no longer than a busy machine needs to start a pod.
func impatient(env *v1alpha1.TestEnvironment) {
	env.Spec.Limits.StartTimeout = &metav1.Duration{Duration: 30 * time.Second}
}

// needsConfigMap is a suite that does not start before there is a ConfigMap "greeting".
func needsConfigMap(name string) string {
	return shell(name, `test "$HELLO" = hello`,
		"  env: [{name: HELLO, valueFrom: {configMapKeyRef: {name: greeting, key: hello}}}]")
}

func newConfigMap(t *testing.T, tenant *world.Tenant) {
	t.Helper()
	greeting := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant.Name, Name: "greeting"}, Data: map[string]string{"hello": "hello"},
	}
	if err := w.Client.Create(deadline(t), greeting); err != nil {
		t.Fatal(err)
	}
}

// TestE2ETheCommentsAdviceWorks follows the advice of a comment: it makes what was missing, and runs
// the command of the comment. What went wrong is green then, and what passed is not run again.
func TestE2ETheCommentsAdviceWorks(t *testing.T) {
	t.Parallel()
	assay := buildCLI(t)
	tenant := newTenant(t, "advice", impatient)
	repo, _ := newRepository(t, "advice", map[string]string{"README.md": "A shop.\n"})
	pull := openRequest(t, repo, "suites", catalog(tenant.Name, map[string]string{
		"greets.yaml": needsConfigMap("greets"), "other.yaml": shell("other", "true")}))
	_, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
		r.Spec.Statuses = v1alpha1.StatusPerSuite
	})
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, pull.commit, tenant.Name, "error", "greets")
	red := oneComment(t, repo, pull.number, "assay run ")
	if !strings.Contains(red.Body, "ConfigMapInvalid") {
		t.Errorf("the comment does not say what is missing:\n%s", red.Body)
	}
	newConfigMap(t, tenant)
	advice := regexp.MustCompile(`(?m)^assay (run .*)$`).FindStringSubmatch(red.Body)
	if advice == nil || !strings.HasSuffix(advice[1], " --suite greets") {
		t.Fatalf("the advice is %q", advice)
	}
	said, err := exec.CommandContext(deadline(t), assay, strings.Fields(advice[1])...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", advice[0], err, said)
	}
	expectAllGreen(t, tenant, repo, pull, red)
}

// expectAllGreen has the verdict green in the same comment, by one more run of what went wrong.
func expectAllGreen(
	t *testing.T, tenant *world.Tenant, repo *world.Repository, pull request, red *gitea.Comment,
) {
	t.Helper()
	for _, context := range []string{tenant.Name, tenant.Name + "/greets", tenant.Name + "/other"} {
		expectStatus(t, repo, pull.commit, context, "success", "")
	}
	green := oneComment(t, repo, pull.number, "2 suites passed")
	if green.ID != red.ID {
		t.Errorf("the comment was written anew: %d, then %d", red.ID, green.ID)
	}
	for name, want := range map[string]string{"greets": "again in", "other": "✅ passed |"} {
		if part := partOf(readable(green.Body), name, tenant.Name); !strings.Contains(part, want) {
			t.Errorf("of %s the comment says %q, want %q", name, part, want)
		}
	}
	for _, run := range runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: pull.commit}) {
		want := map[v1alpha1.CauseType]int{v1alpha1.CausePullRequest: 2, v1alpha1.CauseAPI: 1}[run.Spec.Cause.Type]
		if len(run.Status.Suites) != want {
			t.Errorf("the %s run has %d suites, want %d", run.Spec.Cause.Type, len(run.Status.Suites), want)
		}
	}
}

// buildCLI builds the command line from this tree.
func buildCLI(t *testing.T) string {
	t.Helper()
	assay := filepath.Join(t.TempDir(), "assay")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", assay, "../../cmd/assay").CombinedOutput()
	if err != nil {
		t.Fatalf("building the command line: %v\n%s", err, said)
	}
	return assay
}

// TestE2EAdmittedLater is red until the environment admits the repository. Then nobody has to ask.
func TestE2EAdmittedLater(t *testing.T) {
	t.Parallel()
	var admits []v1alpha1.RepositoryAdmission
	tenant := newTenant(t, "later", func(env *v1alpha1.TestEnvironment) {
		admits, env.Spec.Repositories = env.Spec.Repositories, nil
	})
	repo, _ := newRepository(t, "later", map[string]string{"README.md": "A shop.\n"})
	pull := openRequest(t, repo, "suites", catalog(tenant.Name, map[string]string{"unit.yaml": shell("unit", "true")}))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, pull.commit, tenant.Name, "error", "does not admit")
	oneComment(t, repo, pull.number, "does not admit")

	err := world.Until(deadline(t), "the environment is changed", func(ctx context.Context) (bool, error) {
		var env v1alpha1.TestEnvironment
		if err := w.Client.Get(ctx, client.ObjectKey{Name: tenant.Name}, &env); err != nil {
			return false, err
		}
		env.Spec.Repositories = admits
		return w.Client.Update(ctx, &env) == nil, nil // else the controller wrote meanwhile
	})
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, pull.commit, tenant.Name, "success", "1 suite passed")
	oneComment(t, repo, pull.number, "1 suite passed")
	for _, run := range runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: pull.commit}) {
		if run.Spec.Cause.Type != v1alpha1.CausePullRequest {
			t.Errorf("somebody asked for a %s run: %+v", run.Spec.Cause.Type, run)
		}
	}
}

// TestE2EARequestRepeatsWhatErrored asks as Flux does for a head to be tested once more.
func TestE2EARequestRepeatsWhatErrored(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "request", impatient)
	repo, main := newRepository(t, "request", catalog(tenant.Name, map[string]string{
		"greets.yaml": needsConfigMap("greets"), "other.yaml": shell("other", "true")}))
	object, err := tenant.Sync(deadline(t), repo, nil)
	if err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "error", "greets")
	newConfigMap(t, tenant)
	patch := client.MergeFrom(object.DeepCopy())
	now := time.Now().Format(time.RFC3339Nano)
	metav1.SetMetaDataAnnotation(&object.ObjectMeta, v1alpha1.ReconcileRequestAnnotation, now)
	if err := w.Client.Patch(deadline(t), object, patch); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "2 suites passed")
	runs := runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: main})
	asked := 0
	for _, run := range runs {
		if run.Spec.Cause.Type == v1alpha1.CausePush && run.Annotations[v1alpha1.ReconcileRequestAnnotation] == now {
			asked++
		}
	}
	if len(runs) != 2 || asked != 1 {
		t.Errorf("the head has %d runs, %d of them for the request: %+v", len(runs), asked, runs)
	}
}

// TestE2EARepositoryWithoutTests is green, and says that there is nothing to run.
func TestE2EARepositoryWithoutTests(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "none", nil)
	repo, main := newRepository(t, "none", map[string]string{"README.md": "A shop.\n"})
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "nothing to run")
	run, err := tenant.FinalRun(deadline(t), main, v1alpha1.CausePush)
	if err != nil || run.Status.State != v1alpha1.StatePassed || len(run.Status.Suites) != 0 {
		t.Errorf("the run: %v, %+v", err, run.Status)
	}
}
