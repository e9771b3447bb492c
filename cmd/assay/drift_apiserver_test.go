//go:build apiserver && linux

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/runner"
)

// TestDriftCommand looks at a cluster in which the test plays the controller's part.
func TestDriftCommand(t *testing.T) {
	s := startServer(t)
	if _, err := envtest.InstallCRDs(s.env.Config, envtest.CRDInstallOptions{Paths: []string{"../../deploy/crds"}, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	s.drift(t, exitUser, "", "shop")
	s.drift(t, exitUser, "")
	s = s.inNamespace(t)
	s.drift(t, exitOK, "shop: nothing is known yet\n")
	s.drift(t, exitUser, "", "shop", "--environment", "nowhere")

	repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "shop"}}
	const old = "0000000000000000000000000000000000000000"
	s.catalogs(t, repo,
		v1alpha1.CatalogStatus{Environment: "staging", Branch: "main", Commit: mainCommit, Suites: 4, Heads: []string{mainCommit, otherCommit},
			Drifted: &v1alpha1.SuiteNames{Count: 2, Names: []string{"api", "gone"}},
			Apart: &v1alpha1.EnvironmentApart{OnlyHere: v1alpha1.NameSuites([]string{"new"}), SuspendedHere: v1alpha1.NameSuites([]string{"slow"}),
				Differing: &v1alpha1.SuitesDiffering{Count: 1, Suites: []v1alpha1.SuiteDiffering{{Suite: "load", Fields: []string{"spec.args", "spec.timeout"}}}}}},
		v1alpha1.CatalogStatus{Environment: "prod", Branch: "main", Commit: otherCommit, Suites: 1, Heads: []string{mainCommit, otherCommit},
			Problem: "tests/a.yaml:3: spec.timeout: \"soon\" is no duration", Apart: &v1alpha1.EnvironmentApart{MissingHere: v1alpha1.NameSuites([]string{"new"})}},
	)
	staging := runner.Target{Repository: "shop", Environment: "staging", Branch: "main", Default: true}
	s.passed(t, repo, staging, "api", "d", &v1alpha1.LastPass{Run: "r", Commit: mainCommit, Time: *at(0), Digest: "d"}, "spec.timeout, spec.args")
	s.passed(t, repo, staging, "load", "d", &v1alpha1.LastPass{Run: "r", Commit: otherCommit, Time: *at(1), Digest: "e"}, "")
	s.passed(t, repo, staging, "new", "d", nil, "")
	s.passed(t, repo, staging, "web", "d", &v1alpha1.LastPass{Run: "r", Commit: old, Time: *at(2), Digest: "d"}, "")
	release := runner.Target{Repository: "shop", Environment: "staging", Branch: "release-1"}
	s.passed(t, repo, release, "api", "d", nil, "")

	s.drift(t, exitTests, `shop in staging: main at 111111111111
  cluster        4 suites, 2 not as in Git
                 api: edited: spec.timeout, spec.args
                 gone: deleted
  environments   only here: new
                 suspended here: slow
                 load differs: spec.args, spec.timeout
  passed         1 of 4 suites at the head
                 load: at 222222222222, 1 head ago (2026-01-02 03:04:01 UTC), changed since
                 new: no pass is known
                 web: at 000000000000, 2 heads ago or more (2026-01-02 03:04:02 UTC)

shop in prod: main at 111111111111
  cluster        shows 222222222222 still, 1 suite
                 tests/a.yaml:3: spec.timeout: "soon" is no duration
  environments   missing here: new
  passed         0 of 0 suites at the head
`, "shop")
	s.drift(t, exitTests, "", "--output", "yaml")
	var found []repositoryDrift
	if err := json.Unmarshal([]byte(s.drift(t, exitTests, "", "--output", "json", "--environment", "staging")), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || len(found[0].Catalogs) != 1 || len(found[0].Catalogs[0].Passed) != 4 || found[0].Catalogs[0].Cluster.Drifted[1].Reason != v1alpha1.DeletedReason {
		t.Errorf("JSON has %+v", found)
	}

	s.catalogs(t, repo, v1alpha1.CatalogStatus{Environment: "prod", Branch: "main", Commit: mainCommit, Suites: 1, Heads: []string{mainCommit}, Apart: &v1alpha1.EnvironmentApart{}})
	s.drift(t, exitOK, `shop in prod: main at 111111111111
  cluster        1 suite, as in Git
  environments   no difference
  passed         0 of 0 suites at the head
`)
}

// drift runs assay drift and compares its code and output, unless want is empty.
func (s *server) drift(t *testing.T, code int, want string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"drift", "--exit-code", "--kubeconfig", s.kubeconfig, "-n", s.namespace}, args...)
	if got := execute(t.Context(), newRootCommand(), args, &stdout, &stderr); got != code || (stderr.Len() > 0) != (code == exitUser) {
		t.Errorf("%s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, stderr.String())
	}
	if diff := cmp.Diff(want, stdout.String()); want != "" && diff != "" {
		t.Errorf("%s (-want +got):\n%s", strings.Join(args, " "), diff)
	}
	return stdout.String()
}

func (s *server) catalogs(t *testing.T, repo *v1alpha1.TestRepository, catalogs ...v1alpha1.CatalogStatus) {
	t.Helper()
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(repo), repo); err != nil {
		t.Fatal(err)
	}
	repo.Status.Catalogs = catalogs
	if err := s.Status().Update(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
}

// passed creates the object of a suite; fields are those that somebody edited.
func (s *server) passed(t *testing.T, repo *v1alpha1.TestRepository, target runner.Target, name, digest string, pass *v1alpha1.LastPass, fields string) {
	t.Helper()
	suite := catalog.Suite{Digest: digest}
	suite.Name = name
	suite.Spec.Image = "i"
	object := runner.NewSuite(repo, target, suite)
	if err := s.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	object.Status.LastPassed = pass
	if fields != "" {
		meta.SetStatusCondition(&object.Status.Conditions, metav1.Condition{
			Type: v1alpha1.DriftedCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.EditedReason, Message: fields})
	}
	if err := s.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}
