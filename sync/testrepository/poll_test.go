package testrepository

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/sync/git"
)

var proofKey = proof.Must(make([]byte, proof.KeyBytes))

// stage is the reconciler of one repository with one environment, on a cluster, a Git host and a
// forge that all can fail.
type stage struct {
	*testing.T
	client.Client
	r *Reconciler
	// heads of the host, by branch; pulls of the forge, and how its API fails.
	heads  map[string]string
	pulls  []providers.PullRequest
	forge  error
	base   error // of merge bases
	unread error // of trees
	signed error
	// deaths says of each write from now on whether the controller is killed at it.
	deaths []bool
	writes int
}

func (s *stage) Refs(context.Context, git.Endpoint, ...string) (git.Refs, error) {
	all := git.Refs{Default: "refs/heads/main", Hashes: map[string]string{}}
	for branch, commit := range s.heads {
		all.Hashes["refs/heads/"+branch] = commit
	}
	return all, nil
}

func (s *stage) MergeBase(context.Context, git.Endpoint, string, string) (string, bool, error) {
	return "", false, s.base
}

func (s *stage) Open(context.Context) ([]providers.PullRequest, error) {
	if s.forge != nil {
		return nil, s.forge
	}
	return s.pulls, nil
}

func (s *stage) Verify(context.Context, *v1alpha1.TestRepository, string) error { return s.signed }

func (s *stage) Tree(context.Context, *v1alpha1.TestRepository, string, string) (fs.FS, error) {
	return fstest.MapFS{}, s.unread
}

func (s *stage) Changed(context.Context, *v1alpha1.TestRepository, string, string) ([]string, bool, error) {
	return nil, true, nil
}

func (s *stage) dies() bool {
	s.writes++
	if len(s.deaths) == 0 {
		return false
	}
	dies := s.deaths[0]
	s.deaths = s.deaths[1:]
	return dies
}

func newStage(t *testing.T) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	s := &stage{T: t, heads: map[string]string{"main": hash("a")}}
	repo := repository(func(r *v1alpha1.TestRepository) {
		r.Spec.Provider = v1alpha1.ProviderGitea
		r.Spec.Environments = []v1alpha1.EnvironmentRef{{Name: "prod"}}
		r.Spec.Interval = metav1.Duration{Duration: time.Minute}
	})
	killed := errors.New("killed")
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(repo, admitting(repo, "prod")).WithStatusSubresource(repo, &v1alpha1.TestRun{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
				if s.dies() {
					return killed
				}
				o.SetCreationTimestamp(metav1.NewTime(time.Unix(1e9+int64(s.writes), 0)))
				return c.Create(ctx, o, options...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
				if s.dies() {
					return killed
				}
				return c.SubResource(sub).Patch(ctx, o, p, options...)
			},
		})
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	for name, values := range Indices() {
		builder.WithIndex(&v1alpha1.TestRepository{}, name, values)
	}
	s.Client = builder.Build()
	open := map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderGitea: func(context.Context, providers.Config) (providers.Forge, error) {
		return providers.Forge{PullRequests: s}, nil
	}}
	s.r = &Reconciler{Client: s, Access: NewAccess(s, open, nil), Refs: s, Commits: s, Key: proofKey, Events: events.NewFakeRecorder(1000)}
	return s
}

func admitting(repo *v1alpha1.TestRepository, name string) *v1alpha1.TestEnvironment {
	return &v1alpha1.TestEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TestEnvironmentSpec{
		Namespace: name, Repositories: []v1alpha1.RepositoryAdmission{{Namespace: repo.Namespace}},
	}}
}

func (s *stage) poll() (ctrl.Result, error) {
	return s.r.Reconcile(s.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(repository(nil))})
}

// polls polls, and nothing goes wrong with the polls themselves.
func (s *stage) polls() {
	s.Helper()
	if _, err := s.poll(); err != nil {
		s.Error(err)
	}
}

func (s *stage) repo() *v1alpha1.TestRepository {
	s.Helper()
	repo := repository(nil)
	if err := s.Get(s.Context(), client.ObjectKeyFromObject(repo), repo); err != nil {
		s.Fatal(err)
	}
	return repo
}

func (s *stage) change(change func(*v1alpha1.TestRepository)) {
	s.Helper()
	repo := s.repo()
	change(repo)
	if err := s.Update(s.Context(), repo); err != nil {
		s.Fatal(err)
	}
}

// ask asks for a reconcile, as people do.
func (s *stage) ask(at string) {
	s.Helper()
	s.change(func(r *v1alpha1.TestRepository) {
		metav1.SetMetaDataAnnotation(&r.ObjectMeta, v1alpha1.ReconcileRequestAnnotation, at)
	})
}

func (s *stage) runs() []v1alpha1.TestRun {
	s.Helper()
	var all v1alpha1.TestRunList
	if err := s.List(s.Context(), &all); err != nil {
		s.Fatal(err)
	}
	slices.SortFunc(all.Items, func(a, b v1alpha1.TestRun) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return all.Items
}

// end ends the newest run: as broken before it was planned, or after.
func (s *stage) end(reason fault.Reason, planned bool) {
	s.Helper()
	all := s.runs()
	run := &all[len(all)-1]
	if planned {
		run.Status = runner.Planned(run, []v1alpha1.PlannedSuite{{Suite: "api", Run: true, Reasons: []string{"it is there"}}}, time.Now())
	}
	run.Status = runner.Broken(run, fault.New(reason, fault.Place{}, "", "no"), time.Now())
	if err := s.Status().Update(s.Context(), run); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) wantRuns(n int, when string) {
	s.Helper()
	if got := len(s.runs()); got != n {
		s.Fatalf("%s there are %d runs, want %d", when, got, n)
	}
}

func (s *stage) wantReady(status metav1.ConditionStatus, reason, message string) {
	s.Helper()
	c := conditions.Get(s.repo(), v1alpha1.ReadyCondition)
	if c == nil || c.Status != status || c.Reason != reason || !strings.Contains(c.Message, message) {
		s.Errorf("Ready is %+v, want %s, %s: %s", c, status, reason, message)
	}
}

// A forge's API that fails keeps no push waiting, and closes no pull request.
func TestAForgeThatFailsStopsNoPush(t *testing.T) {
	later := limited(time.Hour)
	busy := fault.New(fault.HostBusy, fault.Place{}, "", "enough is waiting")
	for name, test := range map[string]struct {
		forge, base error
		again       func(ctrl.Result, error) bool
		reason      fault.Reason // empty: Ready says what it said
	}{
		"a token without its scope": {forge: fault.New(fault.AuthenticationFailed, fault.Place{}, "give it the scope read:issue", "the forge refuses"),
			again: func(r ctrl.Result, err error) bool { return err == nil && r.RequeueAfter > 0 }, reason: fault.AuthenticationFailed},
		"a forge that is down": {forge: fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer"),
			again: func(_ ctrl.Result, err error) bool { return fault.ReasonOf(err) == fault.HostUnreachable }, reason: fault.HostUnreachable},
		"a forge that asks to come back": {forge: later,
			again: func(r ctrl.Result, err error) bool { return err == nil && r.RequeueAfter >= time.Hour }, reason: fault.RateLimited},
		"a forge that is busy":           {forge: busy, again: func(r ctrl.Result, err error) bool { return err == nil }},
		"merge bases that find no place": {base: busy, again: func(r ctrl.Result, err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.pulls = []providers.PullRequest{{Number: 7, Head: hash("c"), Base: hash("a"), TargetBranch: "main"}}
			s.polls()
			s.wantRuns(2, "at first")
			s.forge, s.base = test.forge, test.base
			s.heads["main"] = hash("b")
			if test.base != nil {
				s.pulls = []providers.PullRequest{{Number: 8, Head: hash("d"), TargetBranch: "main"}}
			}
			before := conditions.Get(s.repo(), v1alpha1.ReadyCondition)
			if result, err := s.poll(); !test.again(result, err) {
				t.Errorf("it is polled again after %s, %v", result.RequeueAfter, err)
			}
			s.wantRuns(3, "after the push")
			for _, run := range s.runs() {
				if run.Spec.Cancel {
					t.Errorf("the run of %v is cancelled", run.Spec.Cause)
				}
			}
			repo := s.repo()
			if repo.Status.DefaultCommit != hash("b") || len(repo.Status.PullRequests) != 1 || repo.Status.PullRequests[0].Number != 7 {
				t.Errorf("it knows %s and %+v", repo.Status.DefaultCommit, repo.Status.PullRequests)
			}
			if test.reason != "" {
				s.wantReady(metav1.ConditionFalse, string(test.reason), "")
			} else if diff := cmp.Diff(before, conditions.Get(repo, v1alpha1.ReadyCondition)); diff != "" {
				t.Errorf("Ready changed: %s", diff)
			}
			s.forge, s.base, s.pulls = nil, nil, nil
			s.polls()
			s.wantReady(metav1.ConditionTrue, v1alpha1.SucceededReason, "every head")
			if len(s.repo().Status.PullRequests) != 0 {
				t.Error("a pull request that is closed is still known")
			}
		})
	}
}

// A head that something outside of its commit kept from being tested is tested once that is over,
// once, wherever the controller is killed.
func TestWhatAnObstacleKeptIsRepeatedOnceItIsOver(t *testing.T) {
	no := func(reason fault.Reason) error { return fault.New(reason, fault.Place{}, "", "no") }
	withdraw := func(s *stage) {
		if err := s.Delete(s.Context(), admitting(s.repo(), "prod")); err != nil {
			s.Fatal(err)
		}
	}
	admit := func(s *stage) {
		if err := s.Client.Create(s.Context(), admitting(s.repo(), "prod")); err != nil {
			s.Fatal(err)
		}
	}
	type when func(*stage)
	for reason, test := range map[fault.Reason]struct{ begins, ends when }{
		fault.SignatureInvalid:       {func(s *stage) { s.signed = no(fault.SignatureInvalid) }, func(s *stage) { s.signed = nil }},
		fault.SecretInvalid:          {func(s *stage) { s.signed = no(fault.SecretInvalid) }, func(s *stage) { s.signed = nil }},
		fault.EnvironmentNotFound:    {withdraw, admit},
		fault.EnvironmentNotAdmitted: {withdraw, admit},
		fault.AuthenticationFailed:   {func(s *stage) { s.unread = no(fault.AuthenticationFailed) }, func(s *stage) { s.unread = nil }},
		fault.HostUnreachable:        {func(s *stage) { s.unread = no(fault.HostUnreachable) }, func(s *stage) { s.unread = nil }},
		fault.HostFailed:             {func(s *stage) { s.unread = no(fault.HostFailed) }, func(s *stage) { s.unread = nil }},
		fault.RateLimited:            {func(s *stage) { s.unread = no(fault.RateLimited) }, func(s *stage) { s.unread = nil }},
	} {
		for death := range 2 {
			t.Run(fmt.Sprintf("%s, killed at write %d", reason, death), func(t *testing.T) {
				s := newStage(t)
				test.begins(s)
				s.polls()
				s.end(reason, false)
				s.polls()
				s.ask("now")
				s.polls()
				s.wantRuns(1, "while it lasts")
				test.ends(s)
				s.ask("again") // so that there is something to write
				s.deaths = append(slices.Repeat([]bool{false}, death), true)
				if _, err := s.poll(); err == nil {
					t.Error("it was not killed")
				}
				s.deaths = nil
				s.polls()
				s.polls()
				s.wantRuns(2, "once it is over")
				s.end(fault.InvalidCatalog, false)
				s.polls()
				s.wantRuns(2, "after an end that the commit is to blame for")
			})
		}
	}
}

// Who asks for a reconcile has every head tested once more that ended Errored, and no other.
func TestARequestRepeatsWhatEndedErrored(t *testing.T) {
	for death := range 2 {
		s := newStage(t)
		s.polls()
		s.end(fault.SecretInvalid, true) // of a suite, which nothing can tell to be over
		s.polls()
		s.wantRuns(1, "without a request")
		s.ask(v1alpha1.WebhookRequestPrefix + "1")
		s.polls()
		s.wantRuns(1, "when a webhook asks")
		s.ask("one")
		s.deaths = append(slices.Repeat([]bool{false}, death), true)
		if _, err := s.poll(); err == nil {
			t.Error("it was not killed")
		}
		s.deaths = nil
		s.polls()
		s.wantRuns(2, "when somebody asks")
		s.end(fault.SecretInvalid, true)
		s.polls()
		s.wantRuns(2, "after the same request")
		s.ask("two")
		s.polls()
		s.wantRuns(3, "when somebody asks again")
		all := s.runs()
		all[2].Status = runner.Planned(&all[2], nil, time.Now())
		if err := s.Status().Update(t.Context(), &all[2]); err != nil {
			t.Fatal(err)
		}
		s.ask("three")
		s.polls()
		s.wantRuns(3, "once it has passed")
	}
	// What a request made ends before the poll was recorded: it is not repeated for the same request.
	s := newStage(t)
	s.polls()
	s.end(fault.SecretInvalid, true)
	s.ask("one")
	s.deaths = []bool{false, true}
	if _, err := s.poll(); err == nil {
		t.Error("it was not killed")
	}
	s.end(fault.SecretInvalid, true)
	s.polls()
	s.wantRuns(2, "when the controller was killed")
}

func TestReadyIsHonest(t *testing.T) {
	secret := func(s *stage, name string, data map[string][]byte) {
		err := s.Client.Create(s.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.repo().Namespace, Name: name}, Data: data})
		if err != nil {
			s.Fatal(err)
		}
	}
	named := v1alpha1.LocalReference{Name: "other"}
	for name, test := range map[string]struct {
		change          func(*stage)
		status          metav1.ConditionStatus
		reason, message string
		runs            int
	}{
		"the keys of spec.verify are missing": {func(s *stage) {
			s.change(func(r *v1alpha1.TestRepository) { r.Spec.Verify = &v1alpha1.Verification{SecretRef: named} })
		}, metav1.ConditionFalse, "SecretInvalid", `spec.verify.secretRef.name: there is no Secret`, 1},
		"the keys of spec.verify are none": {func(s *stage) {
			secret(s, "other", map[string][]byte{"bob.pub": []byte("hello")})
			s.change(func(r *v1alpha1.TestRepository) { r.Spec.Verify = &v1alpha1.Verification{SecretRef: named} })
		}, metav1.ConditionFalse, "SecretInvalid", `bob.pub: line 1 is no SSH key`, 1},
		"the secret of spec.webhook is missing": {func(s *stage) {
			s.change(func(r *v1alpha1.TestRepository) { r.Spec.Webhook = &v1alpha1.Webhook{SecretRef: named} })
		}, metav1.ConditionFalse, "SecretInvalid", `spec.webhook.secretRef.name: there is no Secret`, 1},
		"the secret of spec.webhook has no token": {func(s *stage) {
			secret(s, "other", map[string][]byte{"secret": []byte("hello")})
			s.change(func(r *v1alpha1.TestRepository) { r.Spec.Webhook = &v1alpha1.Webhook{SecretRef: named} })
		}, metav1.ConditionFalse, "SecretInvalid", `the Secret has no key token (it has: secret)`, 1},
		"an environment does not exist": {func(s *stage) {
			s.change(func(r *v1alpha1.TestRepository) {
				r.Spec.Environments = append(r.Spec.Environments, v1alpha1.EnvironmentRef{Name: "stagin"})
			})
		}, metav1.ConditionFalse, "EnvironmentNotFound", `spec.environments: there is no TestEnvironment "stagin" (create it`, 2},
		"an environment does not admit": {func(s *stage) {
			env := admitting(s.repo(), "other")
			env.Spec.Repositories = nil
			if err := s.Client.Create(s.Context(), env); err != nil {
				s.Fatal(err)
			}
			s.change(func(r *v1alpha1.TestRepository) {
				r.Spec.Environments = append(r.Spec.Environments, v1alpha1.EnvironmentRef{Name: "other"})
			})
		}, metav1.ConditionFalse, "EnvironmentNotAdmitted", `its owner can add it to spec.repositories`, 2},
		"it is suspended": {func(s *stage) { s.change(func(r *v1alpha1.TestRepository) { r.Spec.Suspend = true }) },
			metav1.ConditionUnknown, "Suspended", "suspended", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.polls()
			s.wantReady(metav1.ConditionTrue, v1alpha1.SucceededReason, "every head")
			test.change(s)
			s.polls()
			s.wantReady(test.status, test.reason, test.message)
			s.wantRuns(test.runs, "all the same")
			writes := s.writes
			s.polls()
			if s.writes != writes {
				t.Errorf("%d more writes though nothing is new", s.writes-writes)
			}
		})
	}
	s := newStage(t)
	s.heads = nil
	s.polls()
	s.wantReady(metav1.ConditionTrue, v1alpha1.SucceededReason, "the repository is empty: waiting for the first push")
	s.change(func(r *v1alpha1.TestRepository) { r.Spec.Suspend = true })
	s.polls()
	s.change(func(r *v1alpha1.TestRepository) { r.Spec.Suspend = false })
	s.heads = map[string]string{"main": hash("a")}
	s.polls()
	s.wantReady(metav1.ConditionTrue, v1alpha1.SucceededReason, "every head")
}
