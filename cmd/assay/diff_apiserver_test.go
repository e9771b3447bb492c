//go:build apiserver && linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/render"
)

// TestDiffWithCluster compares a folder with what an API server made of the same suites.
func TestDiffWithCluster(t *testing.T) {
	s := startServer(t)
	if _, err := envtest.InstallCRDs(s.env.Config, envtest.CRDInstallOptions{Paths: []string{"../../deploy/crds"}, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	s = s.inNamespace(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"tests/kustomization.yaml":                  "resources: [api.yaml, load.yaml]\n",
		"tests/overlays/staging/kustomization.yaml": "resources: [../..]\nlabels: [{pairs: {stage: staging}}]\n",
		"tests/overlays/prod/kustomization.yaml":    "resources: [../..]\n",
		"tests/api.yaml":                            "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: api}\nspec: {tool: go-test}\n",
		"tests/load.yaml": `apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: load, labels: {team: checkout}}
spec:
  tool: k6
  args: [load.js]
  env:
  - {name: USERS, value: "10"}
  - {name: HOST, valueFrom: {configMapKeyRef: {name: hosts, key: shop}}}
  - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: TOKEN, valueFrom: {secretKeyRef: {name: shop, key: token}}}
  envFrom: [{secretRef: {name: shop}}]
  resources: {limits: {cpu: 1000m, memory: 1024Mi}}
  on: {schedule: [{cron: H 2 * * *}], pullRequest: {paths: [a/**]}}
  owners: ["@team/checkout"]
`,
	})
	for environment, suites := range map[string][]string{"staging": {"api", "load"}, "prod": {"api", "load"}} {
		s.sync(t, dir, environment, suites)
	}

	s.diff(t, dir, exitOK, "staging: no difference\nprod: no difference\n")

	// Somebody edits one, removes one, and leaves one behind.
	s.edit(t, "prod", "load", func(suite *v1alpha1.TestSuite) {
		suite.Spec.Env[0].Value = "1"
		suite.Labels["team"] = "search"
		suite.Labels[v1alpha1.CommitLabel] = mainCommit // as the controller may mark it
	})
	if err := s.Delete(t.Context(), s.suite(t, "staging", "api")); err != nil {
		t.Fatal(err)
	}
	old := s.suite(t, "prod", "api")
	old.ObjectMeta = metav1.ObjectMeta{Namespace: s.namespace, Name: "left-over", Labels: old.Labels}
	old.Labels[v1alpha1.SuiteLabel] = "old"
	if err := s.Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	// That of another repository is nobody's here.
	other := old.DeepCopy()
	other.ObjectMeta = metav1.ObjectMeta{Namespace: s.namespace, Name: "other", Labels: other.Labels}
	other.Labels[v1alpha1.RepositoryLabel] = "other"
	if err := s.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	s.diff(t, dir, exitTests, `### Catalog changes

**staging**: 1 added

`+"```diff\n+ api\n```"+`

**prod**: 1 removed, 1 changed

`+"```diff"+`
- old
@@ load @@
- metadata.labels.team: search
+ metadata.labels.team: checkout
- spec.env[name=USERS].value: 1
+ spec.env[name=USERS].value: 10
`+"```\n", "--output", "markdown")

	s.diff(t, dir, exitUser, "", "--environment", "nowhere")
	s.diff(t, dir, exitUser, "", "--cluster", "nothing")
}

// diff runs assay diff and compares its code and output.
func (s *server) diff(t *testing.T, dir string, code int, want string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"diff", dir, "--cluster", "shop", "--exit-code", "--kubeconfig", s.kubeconfig, "-n", s.namespace}, args...)
	if got := execute(t.Context(), newRootCommand(), args, &stdout, &stderr); got != code || code != exitUser && stderr.Len() > 0 {
		t.Errorf("%s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, stderr.String())
	}
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", strings.Join(args, " "), diff)
	}
}

// sync creates the rendered suites in the cluster, as objects that their labels name.
func (s *server) sync(t *testing.T, dir, environment string, suites []string) {
	t.Helper()
	c, err := render.Render(t.Context(), os.DirFS(dir), "tests/overlays/"+environment, render.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range suites {
		suite, ok := c.Suite(name)
		if !ok {
			t.Fatalf("there is no suite %q", name)
		}
		object := suite.DeepCopy()
		object.ObjectMeta = metav1.ObjectMeta{Namespace: s.namespace, Name: environment + "-" + name, Labels: object.Labels}
		for label, value := range map[string]string{
			v1alpha1.RepositoryLabel: "shop", v1alpha1.EnvironmentLabel: environment, v1alpha1.SuiteLabel: name, v1alpha1.ManagedByLabel: v1alpha1.ManagedBy,
		} {
			metav1.SetMetaDataLabel(&object.ObjectMeta, label, value)
		}
		if err := s.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *server) suite(t *testing.T, environment, name string) *v1alpha1.TestSuite {
	t.Helper()
	suite := &v1alpha1.TestSuite{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: environment + "-" + name}}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(suite), suite); err != nil {
		t.Fatal(err)
	}
	return suite
}

func (s *server) edit(t *testing.T, environment, name string, change func(*v1alpha1.TestSuite)) {
	t.Helper()
	suite := s.suite(t, environment, name)
	change(suite)
	if err := s.Update(t.Context(), suite); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
