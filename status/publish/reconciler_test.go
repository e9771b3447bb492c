package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	"github.com/assay-dev/assay/providers/memory"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/status/publish"
)

var key = proof.Must(make([]byte, proof.KeyBytes))

var (
	commitA = strings.Repeat("a", 40)
	commitB = strings.Repeat("b", 40)
	start   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func TestPublishesOnceAndThenCostsNothing(t *testing.T) {
	b := newBench(t, run("staging", commitA, 7, start, passed))
	b.settle(t, subject(commitA, 7))
	b.wantHistory(t, commitA, "assay/staging success")
	b.wantComments(t, 7, "✅ 1 suite passed")

	requests := b.host.Requests()
	b.settle(t, subject(commitA, 7))
	if n := b.host.Requests() - requests; n != 0 {
		t.Errorf("%d requests for a subject that is quiet", n)
	}
}

func TestFollowsTheRun(t *testing.T) {
	r := run("staging", commitA, 7, start, pending)
	b := newBench(t, r)
	b.settle(t, subject(commitA, 7))
	b.setStatus(t, r.Name, failed)
	b.settle(t, subject(commitA, 7))
	b.setStatus(t, r.Name, passed)
	b.settle(t, subject(commitA, 7))
	b.wantHistory(t, commitA, "assay/staging pending", "assay/staging failure", "assay/staging success")
	b.wantComments(t, 7, "✅ 1 suite passed") // one, edited in place
}

// The process may be killed after any request to the forge or to the API server: what was
// said must not be said again.
func TestKilledAnywhereNothingIsSaidTwice(t *testing.T) {
	for kill := 1; ; kill++ {
		b := newBench(t, run("staging", commitA, 7, start, failed), run("prod", commitA, 7, start, passed))
		steps := 0
		step := func() error {
			if steps++; steps == kill {
				return fault.New(fault.HostUnreachable, fault.Place{}, "", "killed")
			}
			return nil
		}
		b.forges = forgesFunc(func(ctx context.Context, r *v1alpha1.TestRepository) (providers.Forge, error) {
			f, err := b.open(ctx, r)
			return failing(f, step), err
		})
		b.afterPatch = step
		_, _ = b.reconciler().Reconcile(t.Context(), subject(commitA, 7))
		killed := steps >= kill
		b.settle(t, subject(commitA, 7)) // a new process
		b.wantHistory(t, commitA, "assay/prod success", "assay/staging failure")
		b.wantComments(t, 7, "❌ 1 of 2 suites failed")
		if !killed {
			if kill < 7 {
				t.Errorf("only %d steps: the test kills nowhere", kill-1)
			}
			return
		}
	}
}

func TestLostMemoryIsHarmless(t *testing.T) {
	r := run("staging", commitA, 7, start, passed)
	b := newBench(t, r)
	b.settle(t, subject(commitA, 7))
	writes := b.host.Writes()
	b.setStatus(t, r.Name, passed) // without status.published
	b.settle(t, subject(commitA, 7))
	if n := b.host.Writes() - writes; n != 0 {
		t.Errorf("%d writes though the forge agreed", n)
	}
}

func TestWhatOthersChangedIsSetRight(t *testing.T) {
	r := run("staging", commitA, 7, start, failed)
	b := newBench(t, r)
	b.settle(t, subject(commitA, 7))
	f, _ := b.host.Open(t.Context(), providers.Config{Token: "assay"})
	if err := f.Statuses.Set(t.Context(), commitA, providers.Status{Context: "assay/staging", State: providers.Success}); err != nil {
		t.Fatal(err)
	}
	b.setStatus(t, r.Name, failed)
	b.settle(t, subject(commitA, 7))
	b.wantHistory(t, commitA, "assay/staging failure", "assay/staging success", "assay/staging failure")
}

func TestTheCommentBelongsToTheNewestHead(t *testing.T) {
	old := run("staging", commitA, 7, start, pending)
	b := newBench(t, old, run("staging", commitB, 7, start.Add(time.Minute), passed))
	b.settle(t, subject(commitA, 7))
	b.settle(t, subject(commitB, 7))
	b.setStatus(t, old.Name, failed)
	b.settle(t, subject(commitA, 7))
	b.wantHistory(t, commitA, "assay/staging pending", "assay/staging failure")
	b.wantComments(t, 7, "✅ 1 suite passed")
}

func TestHeadsOfTheSameSecondFollowThePoll(t *testing.T) {
	b := newBench(t, run("staging", commitA, 7, start, passed), run("staging", commitB, 7, start, failed))
	b.repository(t, func(r *v1alpha1.TestRepository) {
		r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: commitA}}
	})
	b.settle(t, subject(commitB, 7))
	b.wantComments(t, 7)
	b.settle(t, subject(commitA, 7))
	b.wantComments(t, 7, "✅ 1 suite passed")
}

// A pull request may be pushed back to a commit that was tested: the comment goes back with it,
// as often as that happens, and also when nobody looked at the other commit in between.
func TestTheCommentComesBackWithTheHead(t *testing.T) {
	for name, looks := range map[string]bool{"both are looked at": true, "only the head is": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t,
				run("staging", commitA, 7, start, passed), run("staging", commitB, 7, start.Add(time.Minute), failed))
			for i := range 6 {
				at, other, want := commitA, commitB, "✅ 1 suite passed"
				if i%2 == 1 {
					at, other, want = commitB, commitA, "❌ 1 of 1 suite failed"
				}
				b.repository(t, func(r *v1alpha1.TestRepository) {
					r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: at}}
				})
				if looks {
					b.settle(t, subject(other, 7))
				}
				b.settle(t, subject(at, 7))
				b.wantComments(t, 7, want)
			}
		})
	}
}

// What somebody ran again counts for the required status and the comment, whichever of the two
// subjects is looked at first.
func TestARunThatSomebodyAskedForRenewsTheVerdict(t *testing.T) {
	again := run("staging", commitA, 0, start.Add(time.Minute), passed)
	again.Name, again.Spec.Cause = "again", v1alpha1.Cause{Type: v1alpha1.CauseAPI}
	for _, first := range []int64{0, 7} {
		b := newBench(t, run("staging", commitA, 7, start, failed))
		b.settle(t, subject(commitA, 7))
		b.wantComments(t, 7, "❌ 1 of 1 suite failed")
		if err := b.client.Create(t.Context(), again.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		b.setStatus(t, "again", passed)
		b.settle(t, subject(commitA, first))
		b.settle(t, subject(commitA, 7-first))
		b.wantHistory(t, commitA, "assay/staging failure", "assay/staging success")
		b.wantComments(t, 7, "✅ 1 suite passed")
		requests := b.host.Requests()
		b.settle(t, subject(commitA, 0))
		b.settle(t, subject(commitA, 7))
		if n := b.host.Requests() - requests; n != 0 {
			t.Errorf("%d requests though all is said", n)
		}
	}
}

// Of a repository whose contexts are another's nothing is said, until that is over.
func TestWhoseContextsAreTakenSaysNothing(t *testing.T) {
	b := newBench(t, run("staging", commitA, 7, start, failed))
	told := func(status metav1.ConditionStatus, reason fault.Reason) {
		b.repository(t, func(r *v1alpha1.TestRepository) {
			r.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition,
				Status: status, Reason: string(reason), LastTransitionTime: metav1.NewTime(start)}}
		})
	}
	told(metav1.ConditionFalse, fault.ContextTaken)
	result, err := b.reconciler().Reconcile(t.Context(), subject(commitA, 7))
	if err != nil || result.RequeueAfter == 0 || b.host.Requests() != 0 {
		t.Errorf("%d requests, %+v, %v", b.host.Requests(), result, err)
	}
	told(metav1.ConditionTrue, "Succeeded")
	b.settle(t, subject(commitA, 7))
	b.wantHistory(t, commitA, "assay/staging failure")
}

func TestAPushHasNoComment(t *testing.T) {
	b := newBench(t, run("staging", commitA, 0, start, failed))
	b.settle(t, subject(commitA, 0))
	b.wantHistory(t, commitA, "assay/staging failure")
	b.wantComments(t, 7)
}

func TestPlainGitIsLeftInPeace(t *testing.T) {
	b := newBench(t, run("staging", commitA, 7, start, failed))
	b.forges = forgesFunc(func(context.Context, *v1alpha1.TestRepository) (providers.Forge, error) {
		return providers.Forge{}, nil
	})
	b.settle(t, subject(commitA, 7))
}

func TestFaultsDecideWhenToTryAgain(t *testing.T) {
	limited := fault.New(fault.RateLimited, fault.Place{}, "", "slow down")
	limited.After = 17 * time.Second
	for name, c := range map[string]struct {
		err       error
		after     time.Duration
		backedOff bool
		event     string
	}{
		"rate limit":  {limited, 17 * time.Second, false, "RateLimited"},
		"unreachable": {fault.New(fault.HostUnreachable, fault.Place{}, "", "no answer"), 0, true, "HostUnreachable"},
		"bad token":   {fault.New(fault.AuthenticationFailed, fault.Place{}, "use another", "the forge answers 401"), 5 * time.Minute, false, "AuthenticationFailed"},
		"our own bug": {errors.New("oops"), 0, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, run("staging", commitA, 7, start, failed))
			b.forges = forgesFunc(func(context.Context, *v1alpha1.TestRepository) (providers.Forge, error) {
				return providers.Forge{}, c.err
			})
			result, err := b.reconciler().Reconcile(t.Context(), subject(commitA, 7))
			if result.RequeueAfter != c.after || (err != nil) != c.backedOff {
				t.Errorf("result %v, %v; want after %s, backed off %t", result, err, c.after, c.backedOff)
			}
			event := ""
			select {
			case event = <-b.events.Events:
			default:
			}
			if !strings.Contains(event, c.event) || (c.event == "") != (event == "") {
				t.Errorf("event %q, want %q", event, c.event)
			}
		})
	}
}

func TestACommitThatIsGoneIsLetGo(t *testing.T) {
	b := newBench(t, run("staging", commitA, 7, start, failed))
	b.host.RemoveCommit(commitA)
	b.settle(t, subject(commitA, 7))
	b.settle(t, subject(commitA, 7))
	if n := b.host.Writes(); n != 0 {
		t.Errorf("%d writes about a commit that is gone", n)
	}
}

func TestWritesArePaced(t *testing.T) {
	var suites []v1alpha1.SuiteStatus
	var plan []v1alpha1.PlannedSuite
	for i := range 50 {
		name := fmt.Sprintf("suite-%02d", i)
		plan = append(plan, v1alpha1.PlannedSuite{Suite: name, Run: true, Reasons: []string{"asked for"}})
		suites = append(suites, v1alpha1.SuiteStatus{Name: name, State: v1alpha1.StatePassed})
	}
	b := newBench(t, run("staging", commitA, 0, start, v1alpha1.TestRunStatus{State: v1alpha1.StatePassed, Plan: plan, Suites: suites}))
	b.repository(t, func(r *v1alpha1.TestRepository) { r.Spec.Statuses = v1alpha1.StatusPerSuite })
	r, waited := b.reconciler(), time.Duration(0)
	for {
		result, err := r.Reconcile(t.Context(), subject(commitA, 0))
		if err != nil {
			t.Fatal(err)
		}
		if result.RequeueAfter == 0 {
			break
		}
		waited += result.RequeueAfter
		b.now = b.now.Add(result.RequeueAfter)
	}
	if got := len(b.host.History(commitA)); got != 51 || waited < 30*time.Second || waited > 40*time.Second {
		t.Errorf("%d statuses in %s, want 51 in about 31s", got, waited)
	}
}

// A forge that hangs must not keep others waiting.
func TestABusyRepositoryGivesWay(t *testing.T) {
	b := newBench(t, run("staging", commitA, 7, start, failed))
	entered, release := make(chan struct{}), make(chan struct{})
	b.forges = forgesFunc(func(ctx context.Context, r *v1alpha1.TestRepository) (providers.Forge, error) {
		close(entered)
		<-release
		return b.open(ctx, r)
	})
	r, done := b.reconciler(), make(chan error)
	go func() {
		_, err := r.Reconcile(t.Context(), subject(commitA, 7))
		done <- err
	}()
	<-entered
	result, err := r.Reconcile(t.Context(), subject(commitB, 7))
	if err != nil || result.RequeueAfter == 0 {
		t.Errorf("result %v, %v; want to come back later", result, err)
	}
	other := subject(commitA, 7)
	other.Repository = "other"
	if result, err := r.Reconcile(t.Context(), other); err != nil || result != (ctrl.Result{}) {
		t.Errorf("another repository: %v, %v", result, err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// bench is a reconciler between an API server and a forge, both in memory.
type bench struct {
	host       *memory.Host
	client     client.Client
	forges     publish.Forges
	events     *events.FakeRecorder
	now        time.Time
	afterPatch func() error
}

func newBench(t *testing.T, all ...*v1alpha1.TestRun) *bench {
	t.Helper()
	b := &bench{host: memory.New("assay"), events: events.NewFakeRecorder(100), now: start}
	b.forges = forgesFunc(b.open)
	b.host.AddCommit(commitA)
	b.host.AddCommit(commitB)
	b.host.PutPullRequest(providers.PullRequest{Number: 7, Head: commitB})
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	objects := []client.Object{&v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"},
		Spec: v1alpha1.TestRepositorySpec{URL: "https://git.example.org/team/shop.git"}}}
	for _, r := range all {
		if r.Annotations[v1alpha1.ProofAnnotation] != "" { // it may have another name by now
			key.SignRun(r)
		}
		objects = append(objects, r)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	b.client = builder.WithObjects(objects...).
		WithStatusSubresource(&v1alpha1.TestRun{}, &v1alpha1.TestRepository{}).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			err := c.SubResource(sub).Patch(ctx, o, p, opts...)
			if err == nil && b.afterPatch != nil {
				err = b.afterPatch()
			}
			return err
		}}).Build()
	return b
}

func (b *bench) open(ctx context.Context, _ *v1alpha1.TestRepository) (providers.Forge, error) {
	return b.host.Open(ctx, providers.Config{Token: "assay"})
}

func (b *bench) reconciler() *publish.Reconciler {
	return &publish.Reconciler{Key: key, Client: b.client, Forges: b.forges, Events: b.events, Now: func() time.Time { return b.now }}
}

// settle lets a new process reconcile the subject, which has to succeed at once.
func (b *bench) settle(t *testing.T, s publish.Subject) {
	t.Helper()
	if result, err := b.reconciler().Reconcile(t.Context(), s); err != nil || result != (ctrl.Result{}) {
		t.Fatalf("Reconcile = %v, %v", result, err)
	}
}

func (b *bench) setStatus(t *testing.T, name string, status v1alpha1.TestRunStatus) {
	t.Helper()
	var r v1alpha1.TestRun
	if err := b.client.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: name}, &r); err != nil {
		t.Fatal(err)
	}
	r.Status = *status.DeepCopy()
	if err := b.client.Status().Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) repository(t *testing.T, change func(*v1alpha1.TestRepository)) {
	t.Helper()
	var r v1alpha1.TestRepository
	if err := b.client.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: "shop"}, &r); err != nil {
		t.Fatal(err)
	}
	change(&r)
	status := r.Status
	if err := b.client.Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	r.Status = status
	if err := b.client.Status().Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) wantHistory(t *testing.T, commit string, want ...string) {
	t.Helper()
	var got []string
	for _, s := range b.host.History(commit) {
		got = append(got, s.Context+" "+string(s.State))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses ever set (-want +got):\n%s", diff)
	}
}

func (b *bench) wantComments(t *testing.T, pullRequest int64, headlines ...string) {
	t.Helper()
	comments := b.host.CommentsOn(pullRequest)
	if len(comments) != len(headlines) {
		t.Fatalf("%d comments, want %d: %v", len(comments), len(headlines), comments)
	}
	for i, c := range comments {
		if !strings.Contains(c.Body, "### "+headlines[i]+"\n") {
			t.Errorf("comment %q, want the headline %q", c.Body, headlines[i])
		}
	}
}

type forgesFunc func(context.Context, *v1alpha1.TestRepository) (providers.Forge, error)

func (f forgesFunc) Forge(ctx context.Context, r *v1alpha1.TestRepository) (providers.Forge, error) {
	return f(ctx, r)
}

// failing gives a forge that asks step after each request was carried out.
func failing(f providers.Forge, step func() error) providers.Forge {
	f.Statuses = failingStatuses{f.Statuses, step}
	f.Comments = failingComments{f.Comments, step}
	return f
}

type failingStatuses struct {
	providers.Statuses
	step func() error
}

func (f failingStatuses) List(ctx context.Context, commit string) ([]providers.Status, error) {
	all, err := f.Statuses.List(ctx, commit)
	return all, errors.Join(err, f.step())
}

func (f failingStatuses) Set(ctx context.Context, commit string, s providers.Status) error {
	return errors.Join(f.Statuses.Set(ctx, commit, s), f.step())
}

type failingComments struct {
	providers.Comments
	step func() error
}

func (f failingComments) Find(ctx context.Context, pr int64, marker string) (*providers.Comment, error) {
	c, err := f.Comments.Find(ctx, pr, marker)
	return c, errors.Join(err, f.step())
}

func (f failingComments) Create(ctx context.Context, pr int64, body string) (providers.Comment, error) {
	c, err := f.Comments.Create(ctx, pr, body)
	return c, errors.Join(err, f.step())
}

var (
	plan    = []v1alpha1.PlannedSuite{{Suite: "api", Run: true, Reasons: []string{"runs on every pull request"}}}
	pending = v1alpha1.TestRunStatus{State: v1alpha1.StateRunning, Plan: plan}
	passed  = v1alpha1.TestRunStatus{State: v1alpha1.StatePassed, Plan: plan, Suites: []v1alpha1.SuiteStatus{{Name: "api", State: v1alpha1.StatePassed}}}
	failed  = v1alpha1.TestRunStatus{State: v1alpha1.StateFailed, Plan: plan, Suites: []v1alpha1.SuiteStatus{{Name: "api", State: v1alpha1.StateFailed}}}
)

func subject(commit string, pullRequest int64) publish.Subject {
	return publish.Subject{Namespace: "team", Repository: "shop", Commit: commit, PullRequest: pullRequest}
}

func run(environment, commit string, pullRequest int64, created time.Time, status v1alpha1.TestRunStatus) *v1alpha1.TestRun {
	cause := v1alpha1.Cause{Type: v1alpha1.CausePush}
	if pullRequest != 0 {
		cause = v1alpha1.Cause{Type: v1alpha1.CausePullRequest, PullRequest: &v1alpha1.PullRequestRef{Number: pullRequest}}
	}
	r := &v1alpha1.TestRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprintf("shop-%s-%.7s", environment, commit), CreationTimestamp: metav1.NewTime(created),
			Labels: map[string]string{v1alpha1.RepositoryLabel: "shop", v1alpha1.CommitLabel: commit}},
		Spec:   v1alpha1.TestRunSpec{RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: environment, Commit: commit, Cause: cause},
		Status: *status.DeepCopy(),
	}
	key.SignRun(r)
	return r
}
