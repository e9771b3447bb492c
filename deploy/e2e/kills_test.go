//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

const (
	killedSuites = 40
	kills        = 10 // that are wanted
	fewestKills  = 5  // below which the test proves too little
	// killedPlaces is how many suites run at once. While nobody leads, these end and no other
	// begins, so that the run outlives the kills.
	killedPlaces = 3
)

// TestE2EControllerKilledAgainAndAgain kills the controller (SIGKILL) at ten points of one large
// run. Every suite runs once for all that. ASSAY_E2E_SEED repeats the points of an earlier time.
//
// It is not parallel: the others would wait for the new leaders.
func TestE2EControllerKilledAgainAndAgain(t *testing.T) {
	tenant := newTenant(t, "kills", func(env *v1alpha1.TestEnvironment) { env.Spec.Limits.Pods = killedPlaces })
	repo, _ := newRepository(t, "kills", map[string]string{"README.md": "A shop.\n"})
	suites := map[string]string{}
	for i := range killedSuites {
		name := fmt.Sprintf("suite-%02d", i)
		suites[name+".yaml"] = shell(name, fmt.Sprintf("sleep %d", 1+i%2)) // the load
	}
	pull := openRequest(t, repo, "suites", catalog(tenant.Name, suites))
	pods := watchPods(t, tenant)
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	waitForPods(t, tenant, pull.commit)

	killAgainAndAgain(t, tenant, pull.commit, pods)
	run, err := tenant.FinalRun(deadline(t), pull.commit, v1alpha1.CausePullRequest)
	if err != nil {
		t.Fatal(err)
	}
	expectRunOnce(t, tenant, run, pods)
	expectStatus(t, repo, pull.commit, tenant.Name, "success", fmt.Sprintf("%d suites passed", killedSuites))
	oneComment(t, repo, pull.number, fmt.Sprintf("%d suites passed", killedSuites))
	if statuses, err := repo.Statuses(pull.commit); err != nil || len(statuses) != 1 {
		t.Errorf("there are %d statuses, %v: %+v", len(statuses), err, statuses)
	}
}

// expectRunOnce has every suite passed by one attempt with one pod, and one run of the commit.
func expectRunOnce(t *testing.T, tenant *world.Tenant, run *v1alpha1.TestRun, pods *podWatch) {
	t.Helper()
	if run.Status.State != v1alpha1.StatePassed || len(run.Status.Suites) != killedSuites {
		t.Errorf("the run is %s with %d suites: %s", run.Status.State, len(run.Status.Suites), run.Status.Message)
	}
	for _, s := range run.Status.Suites {
		if s.State != v1alpha1.StatePassed || len(s.Attempts) != 1 {
			t.Errorf("%s is %s (%s: %s) after %d attempts", s.Name, s.State, s.Reason, s.Message, len(s.Attempts))
		}
	}
	names, objects := pods.seen()
	if names != killedSuites || objects != killedSuites {
		t.Errorf("there were %d pods of %d names, want %d", objects, names, killedSuites)
	}
	if runs := runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: run.Spec.Commit}); len(runs) != 1 {
		t.Errorf("%d runs of the commit", len(runs))
	}
}

// killAgainAndAgain kills the controller at random points: so many events of pods after it began to
// lead, and a part of a second.
func killAgainAndAgain(t *testing.T, tenant *world.Tenant, commit string, pods *podWatch) {
	t.Helper()
	random := seeded(t)
	for n := range kills {
		events, part := random.IntN(12), time.Duration(random.IntN(1000))*time.Millisecond
		if !pods.await(t, tenant, commit, events) {
			t.Logf("the run ended after %d kills of %d", n, kills)
			if n < fewestKills {
				t.Errorf("it has to outlive %d", fewestKills)
			}
			return
		}
		select { // the point itself: there is nothing to be waited for
		case <-t.Context().Done():
		case <-time.After(part):
		}
		leader := leaderOf(t)
		killWithPod(t)
		t.Logf("kill %2d, %d events and %s after the last leader began: %d of %d suites were final",
			n+1, events, part, finalSuites(t, tenant, commit), killedSuites)
		err := world.Until(deadline(t), "another one leads", func(context.Context) (bool, error) {
			return leaderOf(t) != leader, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv("ASSAY_E2E_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("ASSAY_E2E_SEED: %v", err)
		}
	}
	t.Logf("ASSAY_E2E_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// killWithPod kills the process, and takes its pod away: the kubelet would wait longer and longer
// before it starts a container again.
func killWithPod(t *testing.T) {
	t.Helper()
	pod, err := w.Controller(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	killController(t)
	err = w.Client.Delete(deadline(t), pod, client.GracePeriodSeconds(0))
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
}

// leaderOf gives who leads, which is another one after each start.
func leaderOf(t *testing.T) string {
	t.Helper()
	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: "assay-system", Name: "assay-controller-leader"}
	if err := w.Client.Get(deadline(t), key, &lease); err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func finalSuites(t *testing.T, tenant *world.Tenant, commit string) (final int) {
	t.Helper()
	for _, run := range runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: commit}) {
		for _, s := range run.Status.Suites {
			if s.State.Final() {
				final++
			}
		}
	}
	return final
}

// podWatch sees every pod of a tenant, also one that is gone soon.
type podWatch struct {
	mu     sync.Mutex
	uids   map[string]map[string]bool // by name
	events int
}

// watchPods sees them from now on, to the end of the test.
func watchPods(t *testing.T, tenant *world.Tenant) *podWatch {
	t.Helper()
	watching, err := client.NewWithWatch(w.Config, client.Options{Scheme: w.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := watching.Watch(t.Context(), &corev1.PodList{}, client.InNamespace(tenant.Name))
	if err != nil {
		t.Fatal(err)
	}
	p := &podWatch{uids: map[string]map[string]bool{}}
	go func() {
		for event := range watcher.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok {
				p.see(pod)
			}
		}
	}()
	t.Cleanup(watcher.Stop)
	return p
}

func (p *podWatch) see(pod *corev1.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events++
	if p.uids[pod.Name] == nil {
		p.uids[pod.Name] = map[string]bool{}
	}
	p.uids[pod.Name][string(pod.UID)] = true
}

// seen counts the names and the pods.
func (p *podWatch) seen() (names, objects int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, uids := range p.uids {
		objects += len(uids)
	}
	return len(p.uids), objects
}

func (p *podWatch) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.events
}

// await waits for so many events more; it gives false where the run ends before.
func (p *podWatch) await(t *testing.T, tenant *world.Tenant, commit string, events int) bool {
	t.Helper()
	until, ended := p.count()+events, false
	err := world.Until(deadline(t), "the run goes on", func(context.Context) (bool, error) {
		ended = finalSuites(t, tenant, commit) == killedSuites
		return ended || p.count() >= until, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return !ended
}
