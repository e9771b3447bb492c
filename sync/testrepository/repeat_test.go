package testrepository

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/sync/git"
)

// past is a run that ended a number of seconds after the first.
type past struct {
	spec    v1alpha1.TestRunSpec
	repeats *past
	seconds int
	reason  fault.Reason // empty: it passed
	planned bool
	// cancelled by somebody, or superseded.
	cancelled, superseded bool
}

func (p past) run(repo *v1alpha1.TestRepository) v1alpha1.TestRun {
	request := ""
	if p.repeats != nil {
		request = p.repeats.run(repo).Name
	}
	run := runner.NewRun(repo, p.spec, request)
	at := time.Unix(1e9+int64(p.seconds), 0)
	run.CreationTimestamp = metav1.NewTime(at)
	run.Spec.Cancel = p.cancelled
	stopped := p.cancelled || p.superseded
	if p.planned || p.reason == "" {
		run.Status = runner.Planned(run, []v1alpha1.PlannedSuite{{Suite: "api", Run: p.reason != "" || stopped, Reasons: []string{"it is there"}}}, at)
	}
	if stopped {
		run.Status, _ = runner.Next(run, nil, &v1alpha1.TestEnvironment{}, runner.Observed{Superseded: p.superseded}, at)
	}
	if p.reason != "" {
		run.Status = runner.Broken(run, fault.New(p.reason, fault.Place{}, "", "no"), at)
	}
	return *run
}

func TestHeadsWithoutAnAnswerAreRepeated(t *testing.T) {
	head := v1alpha1.TestRunSpec{Environment: "prod", Commit: hash("b"), Base: hash("a"), Branch: "main", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}
	with := func(change func(*v1alpha1.TestRunSpec)) v1alpha1.TestRunSpec {
		spec := *head.DeepCopy()
		change(&spec)
		return spec
	}
	tag := with(func(s *v1alpha1.TestRunSpec) { s.Branch, s.Tag, s.Base = "", "v1.0.0", "" })
	pull := with(func(s *v1alpha1.TestRunSpec) {
		s.Cause = v1alpha1.Cause{Type: v1alpha1.CausePullRequest, By: "ada", PullRequest: &v1alpha1.PullRequestRef{Number: 7}}
	})
	back := with(func(s *v1alpha1.TestRunSpec) { s.Base = hash("c") }) // the branch was at c meanwhile
	first := past{spec: head, reason: fault.SignatureInvalid}
	second := past{spec: head, reason: fault.SignatureInvalid, repeats: &first}
	for _, c := range []struct {
		name string
		runs []past
		want []past // what is repeated
	}{
		{name: "nothing was refused", runs: []past{{spec: head}}},
		{name: "a branch", runs: []past{first}, want: []past{first}},
		{name: "a tag", runs: []past{{spec: tag, reason: fault.SignatureInvalid}}, want: []past{{spec: tag, reason: fault.SignatureInvalid}}},
		{name: "a pull request", runs: []past{{spec: pull, reason: fault.SignatureInvalid}}, want: []past{{spec: pull, reason: fault.SignatureInvalid}}},
		{name: "keys that could not be read", runs: []past{{spec: head, reason: fault.SecretInvalid}}, want: []past{{spec: head, reason: fault.SecretInvalid}}},
		{name: "each environment for itself", runs: []past{first, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Environment = "staging" })}}, want: []past{first}},
		{name: "once", runs: []past{first, {spec: head, repeats: &first, seconds: 9}}},
		{name: "once, within a second", runs: []past{{spec: head, repeats: &first}, first}},
		{name: "a repeat that was refused, in its turn", runs: []past{first, second}, want: []past{second}},
		{name: "a repeat that was refused, once", runs: []past{first, second, {spec: head, repeats: &second}}},
		{name: "what was planned and went wrong later", runs: []past{{spec: head, reason: fault.SecretInvalid, planned: true}}, want: []past{{spec: head, reason: fault.SecretInvalid, planned: true}}},
		{name: "not what a rerun of everything passed", runs: []past{first, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type = v1alpha1.CauseAPI }), seconds: 9}}},
		{name: "what a rerun before it passed", runs: []past{{spec: head, reason: fault.SignatureInvalid, seconds: 9}, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type = v1alpha1.CauseAPI })}}, want: []past{first}},
		{name: "what a rerun ended alike", runs: []past{first, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type = v1alpha1.CauseAPI }), seconds: 9, reason: fault.SignatureInvalid}}, want: []past{first}},
		{name: "what a rerun of a suite says nothing of", runs: []past{first, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type, s.Suites = v1alpha1.CauseAPI, []string{"api"} }), seconds: 9}}, want: []past{first}},
		{name: "not the suites that a rerun passed", runs: []past{{spec: head, reason: fault.SecretInvalid, planned: true}, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type, s.Suites = v1alpha1.CauseAPI, []string{"api"} }), seconds: 9}}},
		{name: "other suites than a rerun passed", runs: []past{{spec: head, reason: fault.SecretInvalid, planned: true}, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type, s.Suites = v1alpha1.CauseAPI, []string{"other"} }), seconds: 9}}, want: []past{{spec: head, reason: fault.SecretInvalid, planned: true}}},
		{name: "not another commit", runs: []past{{spec: with(func(s *v1alpha1.TestRunSpec) { s.Commit = hash("d") }), reason: fault.SignatureInvalid}}},
		{name: "not another branch", runs: []past{{spec: with(func(s *v1alpha1.TestRunSpec) { s.Branch = "topic" }), reason: fault.SignatureInvalid}}},
		{name: "not an environment that is taken out", runs: []past{{spec: with(func(s *v1alpha1.TestRunSpec) { s.Environment = "dev" }), reason: fault.SignatureInvalid}}},
		{name: "not what somebody asked for", runs: []past{{spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause.Type = v1alpha1.CauseAPI }), reason: fault.SignatureInvalid}}},
		{name: "not a head that came back and passed", runs: []past{first, {spec: back, seconds: 9}}},
		{name: "a head that passed, came back and was refused", runs: []past{{spec: head}, {spec: back, seconds: 9, reason: fault.SignatureInvalid}}, want: []past{{spec: back, seconds: 9, reason: fault.SignatureInvalid}}},
		{name: "a head that was superseded and came back", runs: []past{{spec: pull, superseded: true}, {spec: with(func(s *v1alpha1.TestRunSpec) { s.Cause, s.Commit = pull.Cause, hash("c") }), seconds: 9}}, want: []past{{spec: pull, superseded: true}}},
		{name: "not what somebody cancelled", runs: []past{{spec: head, cancelled: true}}},
		{name: "a head that was refused twice, once", runs: []past{first, {spec: back, seconds: 9, reason: fault.SignatureInvalid}}, want: []past{{spec: back, seconds: 9, reason: fault.SignatureInvalid}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			repo := repository(func(r *v1alpha1.TestRepository) {
				both := []string{"prod", "staging"}
				r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("b"), Environments: both}}
				r.Status.Tag = &v1alpha1.TagHead{Name: "v1.0.0", Commit: hash("b"), Environments: both}
				r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: hash("b"), Environments: both}, {Number: 8, Commit: hash("b"), Skipped: "a fork"}}
			})
			var runs []v1alpha1.TestRun
			for _, p := range c.runs {
				runs = append(runs, p.run(repo))
			}
			var want, got []string
			for _, p := range c.want {
				run := p.run(repo)
				want = append(want, run.Name)
			}
			for _, run := range unanswered(repo, runs) {
				got = append(got, run.Name)
				if again := repeatOf(repo, run); again.Name == run.Name || !cmp.Equal(again.Spec, run.Spec) {
					t.Errorf("%s is repeated by %s as %+v", run.Name, again.Name, again.Spec)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Of runs within one second the names tell nothing: the bases make some orders of them.
func TestWithinASecondTheRepeatIsTheNewest(t *testing.T) {
	repo := repository(func(r *v1alpha1.TestRepository) {
		r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("b"), Environments: []string{"prod"}}}
	})
	for _, base := range []string{"0", "1", "2", "3", "4", "5", "6", "7"} {
		spec := v1alpha1.TestRunSpec{Environment: "prod", Commit: hash("b"), Base: hash(base), Branch: "main", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}
		first := past{spec: spec, reason: fault.SignatureInvalid}
		passed, again := past{spec: spec, repeats: &first}, past{spec: spec, repeats: &first, reason: fault.SignatureInvalid}
		if found := unanswered(repo, []v1alpha1.TestRun{first.run(repo), passed.run(repo)}); len(found) != 0 {
			t.Errorf("what was repeated is repeated: %s", found[0].Name)
		}
		if found := unanswered(repo, []v1alpha1.TestRun{first.run(repo), again.run(repo)}); len(found) != 1 || found[0].Name != again.run(repo).Name {
			t.Errorf("of two that were refused, %d are repeated", len(found))
		}
	}
}

// A pull request that is closed takes its run with it; one that is opened again has another.
func TestAPullRequestThatIsOpenedAgainRunsAgain(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	repo := repository(func(r *v1alpha1.TestRepository) { r.Spec.Environments = r.Spec.Environments[:1] })
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(repo)
	for name, values := range runs.Indices() {
		builder.WithIndex(&v1alpha1.TestRun{}, name, values)
	}
	r := &Reconciler{Client: builder.Build(), Key: proofKey}
	open := decide(repo, git.Refs{}, openPulls{true, []providers.PullRequest{{Number: 7, Head: hash("c"), Base: hash("a"), TargetBranch: "main"}}})
	for _, step := range []struct {
		name            string
		d               decision
		runs, cancelled int
	}{
		{"opened", open, 1, 0},
		{"opened, and the controller was killed", open, 1, 0},
		{"closed", decision{Closed: []int64{7}}, 1, 1},
		{"opened again", open, 2, 1},
		{"opened again, and the controller was killed", open, 2, 1},
		{"closed again", decision{Closed: []int64{7}}, 2, 2},
		{"opened for good", open, 3, 2},
	} {
		if err := r.carryOut(t.Context(), repo, step.d); err != nil {
			t.Fatal(err)
		}
		var runs v1alpha1.TestRunList
		if err := r.List(t.Context(), &runs); err != nil {
			t.Fatal(err)
		}
		cancelled := 0
		for _, run := range runs.Items {
			if run.Spec.Cancel {
				cancelled++
			}
		}
		if len(runs.Items) != step.runs || cancelled != step.cancelled {
			t.Errorf("%s: %d runs, %d cancelled; want %d, %d", step.name, len(runs.Items), cancelled, step.runs, step.cancelled)
		}
	}
}
