package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/runner/testrun"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/testrepository"
)

// TestOfflinePlanIsTheControllers plans each world twice: as the controller does, from a Git
// server, and as assay plan does, from a working copy. A world holds the files of the base and
// of the head, the environment, and what both have to say.
func TestOfflinePlanIsTheControllers(t *testing.T) {
	worlds, err := filepath.Glob("testdata/parity/*.txtar")
	if err != nil || len(worlds) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	for _, file := range worlds {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newParityWorld(t, archive)
			var said strings.Builder
			for _, cause := range []v1alpha1.CauseType{v1alpha1.CausePullRequest, v1alpha1.CausePush} {
				online, offline := w.controller(t, cause), w.commandLine(t, cause)
				if diff := cmp.Diff(online, offline); diff != "" {
					t.Errorf("%s: the command line says something else (-controller +command line):\n%s", cause, diff)
				}
				fmt.Fprintf(&said, "%s\n", cause)
				planTable(&said, online)
				said.WriteString("\n")
			}
			if *update {
				w.write(t, file, archive, said.String())
				return
			}
			if diff := cmp.Diff(string(fileOf(archive, "plans")), said.String()); diff != "" {
				t.Errorf("plans (-want +got, -update writes it):\n%s", diff)
			}
		})
	}
}

// parityWorld is a repository with two commits, served by Git itself.
type parityWorld struct {
	dir, manifest string
	base, head    string
	env           *v1alpha1.TestEnvironment
	repo          *v1alpha1.TestRepository
}

func newParityWorld(t *testing.T, archive *txtar.Archive) *parityWorld {
	t.Helper()
	parent := t.TempDir()
	w := &parityWorld{dir: filepath.Join(parent, "shop"), manifest: filepath.Join(parent, "environment.yaml"), env: &v1alpha1.TestEnvironment{}}
	manifest := fileOf(archive, "environment.yaml")
	if err := sigsyaml.UnmarshalStrict(manifest, w.env); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.manifest, manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.git(t, "init", "-q", "-b", "main")
	w.git(t, "config", "uploadpack.allowFilter", "true")
	w.base = w.commit(t, archive, "base/")
	w.git(t, "switch", "-q", "-c", "topic")
	w.head = w.commit(t, archive, "head/")
	w.repo = &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop"},
		Spec: v1alpha1.TestRepositorySpec{URL: w.serve(t, parent), Provider: v1alpha1.ProviderPlain,
			Environments: []v1alpha1.EnvironmentRef{{Name: w.env.Name}}},
	}
	return w
}

// commit makes the files with the prefix the whole work tree, and gives the commit of it.
func (w *parityWorld) commit(t *testing.T, archive *txtar.Archive, prefix string) string {
	t.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			if err := os.RemoveAll(filepath.Join(w.dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, f := range archive.Files {
		name, ours := strings.CutPrefix(f.Name, prefix)
		if !ours {
			continue
		}
		full := filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.git(t, "add", "-A")
	w.git(t, "commit", "-q", "--allow-empty", "-m", prefix)
	return w.git(t, "rev-parse", "HEAD")
}

var gitEnvironment = []string{
	"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	"GIT_AUTHOR_NAME=Sam", "GIT_AUTHOR_EMAIL=sam@example.com", "GIT_COMMITTER_NAME=Sam", "GIT_COMMITTER_EMAIL=sam@example.com",
}

func (w *parityWorld) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = w.dir, gitEnvironment
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// serve gives the URL of the repository on a server that is Git's own.
func (w *parityWorld) serve(t *testing.T, root string) string {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Logger: log.New(io.Discard, "", 0), Stderr: io.Discard,
		Env: append(gitEnvironment, "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1"),
	})
	t.Cleanup(server.Close)
	return server.URL + "/shop/.git"
}

// controller plans as the controller is wired, but for the API server.
func (w *parityWorld) controller(t *testing.T, cause v1alpha1.CauseType) []v1alpha1.PlannedSuite {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(w.repo.DeepCopy())
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	reader := builder.Build()
	loopback, err := git.NewReach("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	remote := git.New(git.Options{AllowHTTP: true, Reach: loopback})
	source := testrepository.NewSource(testrepository.NewAccess(reader, forges, nil), git.NewCache(remote, cacheBytes), remote)
	rendered := catalogs.New(source, 0)
	contents, err := testrun.NewContents(reader, source, rendered, t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	spec := v1alpha1.TestRunSpec{Environment: w.env.Name, Commit: w.head, Base: w.base, Branch: "main", Cause: v1alpha1.Cause{Type: cause}}
	if cause == v1alpha1.CausePullRequest {
		spec.Cause.PullRequest = &v1alpha1.PullRequestRef{Number: 7}
	}
	reconciler := &testrun.Reconciler{Client: reader, Source: source, Catalogs: rendered, Contents: contents}
	plan, err := reconciler.Plan(t.Context(), runner.NewRun(w.repo, spec, ""), w.repo, w.env)
	if err != nil {
		t.Fatalf("the controller's plan: %v", err)
	}
	return plan
}

// commandLine plans as a user does.
func (w *parityWorld) commandLine(t *testing.T, cause v1alpha1.CauseType) []v1alpha1.PlannedSuite {
	t.Helper()
	command := newPlanCommand()
	args := []string{w.dir, "--base", "main", "-e", w.env.Name, "--environment-file", w.manifest, "-o", "json"}
	if cause == v1alpha1.CausePush {
		args = append(args, "--push")
	}
	var out bytes.Buffer
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(io.Discard)
	if err := command.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("assay plan: %v", err)
	}
	var plan []v1alpha1.PlannedSuite
	if err := json.Unmarshal(out.Bytes(), &plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

func (w *parityWorld) write(t *testing.T, file string, archive *txtar.Archive, plans string) {
	t.Helper()
	for i := range archive.Files {
		if archive.Files[i].Name == "plans" {
			archive.Files[i].Data = []byte(plans)
		}
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func fileOf(archive *txtar.Archive, name string) []byte {
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}
