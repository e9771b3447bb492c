//go:build apiserver

package testrepository

import (
	"context"
	"slices"
	"testing"
	"time"

	fluxctrl "github.com/fluxcd/pkg/runtime/controller"
	"github.com/fluxcd/pkg/runtime/metrics"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/plain"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/githubapp"
)

// lab is the reconciler on a real API server and a real Git host.
type lab struct {
	*apiservertest.Server
	repo *v1alpha1.TestRepository
	// known are the names of runs that were looked at.
	known map[string]bool
}

// newLab has a repository whose one branch that is watched is signed by who may not.
func newLab(t *testing.T) (l *lab, signers *corev1.Secret, key string) {
	t.Helper()
	h := newHost(t, func(string, string) bool { return true })
	bob, key := sshKey(t)
	_, other := sshKey(t)
	h.signed(t, bob)
	l = &lab{Server: apiservertest.Start(t), known: map[string]bool{}}
	signers = secret("signers", data{"other.pub": other})
	l.Make(t, signers, secret("git", data{"ca.crt": h.ca()}))
	controller := l.Controller(t)
	l.Grant(t, "default", "assay-repository")
	stop := l.Run(t, controller, func(_ context.Context, mgr ctrl.Manager) error {
		access := NewAccess(mgr.GetAPIReader(), map[v1alpha1.ProviderName]providers.Open{v1alpha1.ProviderPlain: plain.Open}, githubapp.New(githubapp.Options{}))
		access.Reach = loopback(t)
		remote := git.New(git.Options{Reach: loopback(t)})
		return (&Reconciler{
			Client: mgr.GetClient(), Access: access, Refs: remote, Commits: NewSource(access, git.NewCache(remote, 1<<20), remote), Key: proofKey,
			Events: mgr.GetEventRecorder("test"), Metrics: fluxctrl.NewMetrics(mgr, metrics.MustMakeRecorder()),
		}).SetupWithManager(mgr, Options{})
	})
	t.Cleanup(stop)
	l.repo = &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop"},
		Spec: v1alpha1.TestRepositorySpec{
			URL: h.URL + "/repo/.git", SecretRef: &v1alpha1.LocalReference{Name: "git"}, Interval: metav1.Duration{Duration: time.Hour},
			Branches: []string{"signed-*"}, Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}},
			Verify: &v1alpha1.Verification{SecretRef: v1alpha1.LocalReference{Name: "signers"}},
		},
	}
	l.Make(t, l.repo)
	return l, signers, key
}

func secret(name string, d data) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Data: d.bytes()}
}

// poll asks for a poll, as people and webhooks do, and waits for its end.
func (l *lab) poll(t *testing.T) {
	t.Helper()
	at := time.Now().Format(time.RFC3339Nano)
	l.Change(t, l.repo, func() { metav1.SetMetaDataAnnotation(&l.repo.ObjectMeta, v1alpha1.ReconcileRequestAnnotation, at) })
	l.Until(t, l.repo, "it is polled", func() bool { return l.repo.Status.LastHandledReconcileAt == at })
}

// fresh polls twice and gives the runs that were not known yet: the second time, the cache has what
// the first one wrote.
func (l *lab) fresh(t *testing.T) []v1alpha1.TestRun {
	t.Helper()
	l.poll(t)
	l.poll(t)
	var runs v1alpha1.TestRunList
	if err := l.List(t.Context(), &runs); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(runs.Items, func(run v1alpha1.TestRun) bool { return l.known[run.Name] })
}

// newRun polls until there is one run that was not known yet.
func (l *lab) newRun(t *testing.T) *v1alpha1.TestRun {
	t.Helper()
	var runs []v1alpha1.TestRun
	apiservertest.Until(t, "there is another run", func() bool { runs = l.fresh(t); return len(runs) > 0 }, func() any { return l.repo.Status })
	if len(runs) != 1 {
		t.Fatalf("there are %d more runs, want one", len(runs))
	}
	l.known[runs[0].Name] = true
	return &runs[0]
}

func (l *lab) noRun(t *testing.T, when string) {
	t.Helper()
	if runs := l.fresh(t); len(runs) != 0 {
		t.Fatalf("%s there are %d more runs", when, len(runs))
	}
}

// refuse ends a run as the runner does whose commit is not signed by who may.
func (l *lab) refuse(t *testing.T, run *v1alpha1.TestRun) {
	t.Helper()
	run.Status = runner.Broken(run, fault.New(fault.SignatureInvalid, fault.Place{Commit: run.Spec.Commit}, "", "which may not"), time.Now())
	if err := l.Status().Update(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

func TestAPIServerARefusedHeadIsRepeatedWhenItsKeyIsAdded(t *testing.T) {
	l, signers, key := newLab(t)
	first := l.newRun(t)
	l.noRun(t, "before the first has ended")
	l.refuse(t, first)
	l.noRun(t, "while the key is missing")

	l.Change(t, signers, func() { signers.Data["bob.pub"] = []byte(key) })
	second := l.newRun(t)
	if diff := cmp.Diff(first.Spec, second.Spec); diff != "" {
		t.Error(diff)
	}
	l.noRun(t, "once it is repeated")

	l.refuse(t, second) // as if the key had been taken out meanwhile
	third := l.newRun(t)
	third.Status = runner.Planned(third, nil, time.Now())
	if err := l.Status().Update(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	l.noRun(t, "once one has passed")
}
