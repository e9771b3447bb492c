//go:build apiserver && linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	mainCommit  = "1111111111111111111111111111111111111111"
	otherCommit = "2222222222222222222222222222222222222222"
	// patience is how long a condition may take to come true before a test gives up.
	patience = 30 * time.Second
)

// server is a real API server on which the tests play the controller's part.
type server struct {
	client.WithWatch
	env        *envtest.Environment
	kubeconfig string
	namespace  string
}

// TestRunCommand shares one API server between its cases, each with a namespace of its own.
func TestRunCommand(t *testing.T) {
	s := startServer(t)
	t.Run("says that Assay is not installed", s.notInstalled)
	if _, err := envtest.InstallCRDs(s.env.Config, envtest.CRDInstallOptions{Paths: []string{"../../deploy/crds"}, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(*server, *testing.T){
		"creates the run and follows it to passed":               (*server).passes,
		"prints failures and exits 1":                            (*server).fails,
		"exits 1 for every other end":                            (*server).endsOtherwise,
		"is a no-op for a key that was used":                     (*server).repeatsKey,
		"does not wait when asked not to":                        (*server).doesNotWait,
		"rewrites a block on a terminal":                         (*server).onTerminal,
		"leaves the run going when interrupted":                  (*server).interrupted,
		"leaves the run going when the time is up":               (*server).timesUp,
		"says that the run was deleted":                          (*server).deleted,
		"goes on after the API server was away":                  (*server).outage,
		"refuses what the repository does not have":              (*server).refuses,
		"says what the API server does not let the user do":      (*server).forbidden,
		"completes repositories and environments":                (*server).completes,
		"takes the commit, branch and suites that are asked for": (*server).asksFor,
	} {
		t.Run(name, func(t *testing.T) { test(s.inNamespace(t), t) })
	}
}

func startServer(t *testing.T) *server {
	t.Helper()
	env := &envtest.Environment{}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting the API server of KUBEBUILDER_ASSETS=%q: %v", os.Getenv("KUBEBUILDER_ASSETS"), err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{WithWatch: c, env: env, namespace: "default"}
	s.kubeconfig = writeKubeconfig(t, env.KubeConfig)
	return s
}

func writeKubeconfig(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// inNamespace gives a namespace of its own with the repository "shop", which was polled.
func (s *server) inNamespace(t *testing.T) *server {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-" + strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, filepath.Base(t.Name())))}}
	ns.Name = ns.Name[:min(len(ns.Name), 63)]
	if err := s.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	own := *s
	own.namespace = ns.Name
	repo := own.repository(t, "shop")
	repo.Status.DefaultBranch = "main"
	repo.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: mainCommit}, {Branch: "release-1", Commit: otherCommit}}
	if err := s.Status().Update(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	return &own
}

func (s *server) repository(t *testing.T, name string) *v1alpha1.TestRepository {
	t.Helper()
	repo := &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name},
		Spec: v1alpha1.TestRepositorySpec{
			URL:          "https://git.example.com/shop.git",
			Interval:     metav1.Duration{Duration: time.Minute},
			Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}},
		},
	}
	if err := s.Create(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	return repo
}

// session is a command line that runs.
type session struct {
	stdout bytes.Buffer
	stderr *screen
	cancel context.CancelFunc
	done   chan int
}

// start runs assay run with arguments beside those that name the server.
func (s *server) start(t *testing.T, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &session{stderr: newScreen(), cancel: cancel, done: make(chan int, 1)}
	args = append([]string{"run", "--kubeconfig", s.kubeconfig, "--namespace", s.namespace}, args...)
	go func() { r.done <- execute(ctx, newRootCommand(), args, &r.stdout, r.stderr) }()
	t.Cleanup(cancel)
	return r
}

// ends waits for the exit code.
func (r *session) ends(t *testing.T, want int) {
	t.Helper()
	select {
	case got := <-r.done:
		if got != want {
			t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", got, want, &r.stdout, r.stderr)
		}
	case <-time.After(patience):
		t.Fatalf("it does not end\nstderr: %s", r.stderr)
	}
}

// only gives the one run of the namespace.
func (s *server) only(t *testing.T) *v1alpha1.TestRun {
	t.Helper()
	var list v1alpha1.TestRunList
	if err := s.List(t.Context(), &list, client.InNamespace(s.namespace)); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 {
		t.Fatalf("%d runs, want one", len(list.Items))
	}
	return &list.Items[0]
}

// play sets the status, as the controller does.
func (s *server) play(t *testing.T, status v1alpha1.TestRunStatus) {
	t.Helper()
	run := s.only(t)
	run.Status = status
	if err := s.Status().Update(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

func at(seconds int) *metav1.Time {
	return &metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, seconds, 0, time.UTC)}
}

func attempt(state v1alpha1.RunState, end *metav1.Time) v1alpha1.Attempt {
	return v1alpha1.Attempt{Number: 1, Pod: "pod-1", State: state, StartTime: at(0), CompletionTime: end}
}

func (s *server) passes(t *testing.T) {
	r := s.start(t, "shop", "--environment", "staging")
	r.stderr.waitFor(t, "Pending: waiting for the controller")
	run := s.only(t)
	want := v1alpha1.TestRunSpec{
		RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: "staging", Commit: mainCommit, Branch: "main",
		Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI, By: "admin"},
	}
	if diff := cmp.Diff(want, run.Spec); diff != "" {
		t.Error(diff)
	}
	if run.Labels[v1alpha1.CommitLabel] != mainCommit || run.Labels[v1alpha1.CauseLabel] != "api" {
		t.Errorf("labels: %v", run.Labels)
	}

	suite := v1alpha1.SuiteStatus{Name: "checkout", State: v1alpha1.StateRunning, Attempts: []v1alpha1.Attempt{attempt(v1alpha1.StateRunning, nil)}}
	status := v1alpha1.TestRunStatus{State: v1alpha1.StateRunning, Message: "0 of 1 suites finished", StartTime: at(0), Suites: []v1alpha1.SuiteStatus{suite}}
	s.play(t, status)
	r.stderr.waitFor(t, "checkout: Running")
	suite.State, suite.Cases = v1alpha1.StatePassed, &v1alpha1.CaseCounts{Total: 3, Passed: 3}
	suite.Attempts = []v1alpha1.Attempt{attempt(v1alpha1.StatePassed, at(42))}
	status.State, status.Message, status.Suites = v1alpha1.StatePassed, "1 suite passed", []v1alpha1.SuiteStatus{suite}
	s.play(t, status)
	r.ends(t, exitOK)

	const table = `SUITE      STATE    CASES      TIME   MESSAGE
checkout   Passed   3 passed   42s

Passed: 1 suite passed
`
	if diff := cmp.Diff(table, r.stdout.String()); diff != "" {
		t.Error(diff)
	}
	lines := strings.ReplaceAll(`RUN: Pending: waiting for the controller
RUN: Running: 0 of 1 suites finished
RUN/checkout: Running
RUN: Passed: 1 suite passed
RUN/checkout: Passed
`, "RUN", run.Name)
	if diff := cmp.Diff(lines, r.stderr.String()); diff != "" {
		t.Error(diff)
	}
}

func (s *server) fails(t *testing.T) {
	r := s.start(t, "shop", "--environment", "staging", "--output", "table")
	r.stderr.waitFor(t, "waiting for the controller")
	s.play(t, v1alpha1.TestRunStatus{State: v1alpha1.StateFailed, Message: "1 of 1 suites failed", Suites: []v1alpha1.SuiteStatus{{
		Name: "checkout", State: v1alpha1.StateFailed, Reason: string(fault.TestsFailed), Message: "1 of 3 cases failed",
		Cases: &v1alpha1.CaseCounts{Total: 3, Passed: 2, Failed: 1}, Attempts: []v1alpha1.Attempt{attempt(v1alpha1.StateFailed, at(7))},
		Failures: []v1alpha1.CaseFailure{{Name: "pay/visa", File: "pay_test.go", Line: 12, Message: "got 500\x1b[2J\nwant 200"}},
	}}})
	r.ends(t, exitTests)
	const table = `SUITE      STATE    CASES           TIME   MESSAGE
checkout   Failed   1 of 3 failed   7s     1 of 3 cases failed

checkout: pay/visa (pay_test.go:12)
    got 500�[2J
    want 200

Failed: 1 of 1 suites failed
`
	if diff := cmp.Diff(table, r.stdout.String()); diff != "" {
		t.Error(diff)
	}
}

func (s *server) endsOtherwise(t *testing.T) {
	for i, status := range []v1alpha1.TestRunStatus{
		{State: v1alpha1.StateErrored, Message: `tests/a.yaml:3: spec.timeout: "soon" is no duration`},
		{State: v1alpha1.StateCancelled, Message: "cancelled by sam"},
	} {
		r := s.start(t, "shop", "--environment", "staging")
		r.stderr.waitFor(t, "waiting for the controller")
		s.play(t, status)
		r.ends(t, exitTests)
		if want := "\n" + string(status.State) + ": " + status.Message + "\n"; r.stdout.String() != want {
			t.Errorf("case %d: got %q, want %q", i, r.stdout.String(), want)
		}
		if err := s.Delete(t.Context(), s.only(t)); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *server) repeatsKey(t *testing.T) {
	ask := []string{"shop", "--environment", "staging", "--request-key", "build-7", "--suite", "b,a", "--suite", "a"}
	first := s.start(t, ask...)
	first.stderr.waitFor(t, "waiting for the controller")
	second := s.start(t, ask...)
	second.stderr.waitFor(t, "was asked for before with this key")
	second.stderr.waitFor(t, "waiting for the controller")
	if diff := cmp.Diff([]string{"a", "b"}, s.only(t).Spec.Suites); diff != "" {
		t.Error(diff)
	}
	other := s.start(t, "shop", "--environment", "staging", "--request-key", "build-7", "--suite", "c")
	other.ends(t, exitUser)
	other.stderr.waitFor(t, "but for other suites (choose another --request-key)")
	s.play(t, v1alpha1.TestRunStatus{State: v1alpha1.StatePassed})
	first.ends(t, exitOK)
	second.ends(t, exitOK)
	again := s.start(t, ask...) // long after it ended
	again.ends(t, exitOK)
}

func (s *server) doesNotWait(t *testing.T) {
	r := s.start(t, "shop", "--environment", "prod", "--wait=false", "--request-key", "1")
	r.ends(t, exitOK)
	name := s.only(t).Name
	if got, want := r.stdout.String(), "testrun/"+name+"   "+s.namespace+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r = s.start(t, "shop", "--environment", "prod", "--wait=false", "--request-key", "1", "--output", "json")
	r.ends(t, exitOK)
	var run v1alpha1.TestRun
	if err := json.Unmarshal(r.stdout.Bytes(), &run); err != nil {
		t.Fatal(err)
	}
	if run.Name != name || run.Kind != v1alpha1.TestRunKind || len(run.ManagedFields) > 0 {
		t.Errorf("got %s", &r.stdout)
	}
}

func (s *server) interrupted(t *testing.T) {
	r := s.start(t, "shop", "--environment", "staging")
	r.stderr.waitFor(t, "waiting for the controller")
	r.cancel()
	r.ends(t, exitUnknown)
	r.stderr.waitFor(t, "interrupted; the run goes on")
	if s.only(t).Spec.Cancel {
		t.Error("the run was cancelled")
	}
}

func (s *server) timesUp(t *testing.T) {
	r := s.start(t, "shop", "--environment", "staging", "--timeout", "500ms")
	r.ends(t, exitUnknown)
	r.stderr.waitFor(t, "the time was up")
}

func (s *server) deleted(t *testing.T) {
	r := s.start(t, "shop", "--environment", "staging")
	r.stderr.waitFor(t, "waiting for the controller")
	if err := s.Delete(t.Context(), s.only(t)); err != nil {
		t.Fatal(err)
	}
	r.ends(t, exitUnknown)
	r.stderr.waitFor(t, "the run was deleted")
}

func (s *server) outage(t *testing.T) {
	between := newProxy(t, s.env.Config.Host)
	config, err := clientcmd.LoadFromFile(s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Clusters {
		c.Server = "https://" + between.address()
	}
	data, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	away := *s
	away.kubeconfig = writeKubeconfig(t, data)
	r := away.start(t, "shop", "--environment", "staging")
	r.stderr.waitFor(t, "waiting for the controller")
	between.cut()
	r.stderr.waitFor(t, "the API server does not answer, trying again")
	s.play(t, v1alpha1.TestRunStatus{State: v1alpha1.StatePassed, Message: "while nobody looked"})
	between.mend()
	r.ends(t, exitOK)
	r.stderr.waitFor(t, "Passed: while nobody looked")
}

func (s *server) refuses(t *testing.T) {
	s.repository(t, "fresh")
	broken := s.repository(t, "broken")
	broken.Status.Conditions = []metav1.Condition{fault.Condition(v1alpha1.ReadyCondition, 1, fault.New(fault.AuthenticationFailed, fault.Place{}, "mend the Secret", "the host refuses the token"))}
	broken.Status.Conditions[0].LastTransitionTime = *at(0)
	if err := s.Status().Update(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"an unknown repository", "there is no TestRepository", []string{"nowhere", "-e", "staging"}},
		{"an environment that it does not run in", `spec.environments: the repository does not run in "moon" (name one of staging, prod)`, []string{"shop", "-e", "moon"}},
		{"a branch that is not watched", `the branch "topic" is not one that the controller watches (name the commit with --commit, or one of main, release-1)`, []string{"shop", "-e", "staging", "--branch", "topic"}},
		{"a repository that was not polled", "has not polled the repository yet (wait until its condition Ready is True", []string{"fresh", "-e", "staging"}},
		{"a repository that cannot be polled", "the host refuses the token (mend the Secret)", []string{"broken", "-e", "staging"}},
		{"a suite with a name that is too long", "spec.suites[0]", []string{"shop", "-e", "staging", "--suite", strings.Repeat("x", 64)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.start(t, c.args...)
			r.ends(t, exitUser)
			r.stderr.waitFor(t, c.says)
			if r.stdout.Len() > 0 {
				t.Errorf("it prints %s", &r.stdout)
			}
		})
	}
	r := s.start(t, "fresh", "-e", "staging", "--commit", otherCommit, "--wait=false") // needs no poll
	r.ends(t, exitOK)
}

func (s *server) asksFor(t *testing.T) {
	r := s.start(t, "shop", "-e", "prod", "--branch", "release-1", "--suite", "checkout", "--wait=false")
	r.ends(t, exitOK)
	got := s.only(t).Spec
	if got.Commit != otherCommit || got.Branch != "release-1" || len(got.Suites) != 1 {
		t.Errorf("got %+v", got)
	}
}

func (s *server) forbidden(t *testing.T) {
	user, err := s.env.AddUser(envtest.User{Name: "eve"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	eve := *s
	eve.kubeconfig = writeKubeconfig(t, data)
	r := eve.start(t, "shop", "-e", "staging")
	r.ends(t, exitUser)
	r.stderr.waitFor(t, `User "eve" cannot get resource "testrepositories"`)
	r.stderr.waitFor(t, "(ask whoever runs the cluster for this right)")
}

func (s *server) notInstalled(t *testing.T) {
	r := s.start(t, "shop", "-e", "staging")
	r.ends(t, exitUser)
	r.stderr.waitFor(t, "(install Assay in this cluster, or name another with --context)")
}

func (s *server) completes(t *testing.T) {
	complete := func(args ...string) string {
		var out bytes.Buffer
		line := append([]string{"__complete", "run", "--kubeconfig", s.kubeconfig, "--namespace", s.namespace}, args...)
		if code := execute(t.Context(), newRootCommand(), line, &out, &bytes.Buffer{}); code != exitOK {
			t.Fatalf("exit code %d", code)
		}
		return out.String()
	}
	if got, want := complete(""), "\nshop\n:4\n"; !strings.HasSuffix(got, want) { // after the flags that are still to be set
		t.Errorf("repositories: got %q, want %q at its end", got, want)
	}
	if got, want := complete("shop", "--environment", ""), "staging\nprod\n:4\n"; got != want {
		t.Errorf("environments: got %q, want %q", got, want)
	}
}
