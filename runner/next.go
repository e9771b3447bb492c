package runner

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Next gives the status that follows from what is observed, and what to do. suites holds every suite of the plan that
// runs, by name; env is the run's environment. Both may be nil for a run that is final or cancelled, and suites where
// obs.Blocked says why they cannot be had. Of a run without a plan (see Planned) only the cancelling is done.
//
// A suite goes from Pending to Running to a final state and never back; so do an attempt and the run. A suite has at most
// one attempt that is not final. The run ends when every suite has. The status of a final run does not change any more,
// and the only actions for it are stopping pods that are left over.
//
// Carry the actions out first and write the status after: an attempt enters the status when its pod is observed, and
// starting it twice is a no-op. The actions are in the order of the plan; at most one of them is WaitUntil, the last.
func Next(run *v1alpha1.TestRun, suites map[string]catalog.Suite, env *v1alpha1.TestEnvironment, obs Observed, now time.Time) (v1alpha1.TestRunStatus, []Action) {
	if env == nil {
		env = &v1alpha1.TestEnvironment{}
	}
	obs.Attempts = own(run, obs.Attempts)
	s := step{
		run: run, suites: suites, env: env, obs: obs, now: now,
		status:   *run.Status.DeepCopy(),
		observed: byUnit(obs.Attempts),
	}
	if s.status.State.Final() {
		s.cleanUp()
		return s.status, s.all()
	}
	if !planned(s.status) {
		s.cancelUnplanned()
		return s.status, nil
	}
	s.enter()
	for i := range s.status.Suites {
		s.observe(&s.status.Suites[i])
	}
	switch {
	case s.cancel():
	case s.obs.Blocked != nil:
		s.wait()
	default:
		s.start()
	}
	s.cleanUp()
	s.status.ObservedGeneration = run.Generation
	conclude(&s.status, now)
	if s.obs.Blocked != nil && !s.status.State.Final() {
		setHindered(&s.status, s.obs.Blocked, hinderedSince(run.Status, now), now)
	}
	return s.status, s.all()
}

// step is one call of Next.
type step struct {
	run    *v1alpha1.TestRun
	suites map[string]catalog.Suite
	env    *v1alpha1.TestEnvironment
	obs    Observed
	now    time.Time

	status   v1alpha1.TestRunStatus
	observed map[Unit][]ObservedAttempt
	actions  []Action
	until    time.Time // the earliest time to look again; zero: none
}

// own leaves out pods that only bear the run's labels: a pod of the run has the name that follows from it.
func own(run *v1alpha1.TestRun, attempts []ObservedAttempt) []ObservedAttempt {
	return slices.DeleteFunc(slices.Clone(attempts), func(o ObservedAttempt) bool {
		return o.Pod != PodName(run, o.AttemptID)
	})
}

// byUnit groups the attempts and sorts them by number.
func byUnit(attempts []ObservedAttempt) map[Unit][]ObservedAttempt {
	groups := map[Unit][]ObservedAttempt{}
	for _, o := range attempts {
		groups[o.Unit] = append(groups[o.Unit], o)
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b ObservedAttempt) int { return a.Compare(b.AttemptID) })
	}
	return groups
}

// enter sees to it that every suite of the plan that runs is in the status, in the order of the plan.
func (s *step) enter() {
	known := map[string]v1alpha1.SuiteStatus{}
	for _, suite := range s.status.Suites {
		known[suite.Name] = suite
	}
	s.status.Suites = suitesOf(s.status.Plan, known)
}

func suitesOf(plan []v1alpha1.PlannedSuite, known map[string]v1alpha1.SuiteStatus) []v1alpha1.SuiteStatus {
	var list []v1alpha1.SuiteStatus
	for _, p := range plan {
		if !p.Run {
			continue
		}
		suite, ok := known[p.Suite]
		if !ok {
			suite = settled(p)
		}
		list = append(list, suite)
	}
	return list
}

// cleanUp stops the pods that nobody waits for: of attempts that are final, and of suites that are not in the plan. A pod
// that told its outcome ends by itself and keeps its log, unless it does not end.
func (s *step) cleanUp() {
	awaited := s.awaited()
	for _, o := range s.obs.Attempts {
		if o.Phase == PhaseEnded || o.Stopping || awaited[o.Pod] {
			continue
		}
		if patience := s.endOf(o); o.Outcome != nil && s.now.Before(patience) {
			s.lookAgain(patience)
			continue
		}
		s.actions = append(s.actions, Action{Stop: &StopAttempt{Pod: o.Pod}})
	}
}

// awaited are the pods of attempts that are not final.
func (s *step) awaited() map[string]bool {
	pods := map[string]bool{}
	for _, suite := range s.status.Suites {
		for _, a := range suite.Attempts {
			if !a.State.Final() {
				pods[a.Pod] = true
			}
		}
	}
	return pods
}

func (s *step) lookAgain(at time.Time) {
	if s.until.IsZero() || at.Before(s.until) {
		s.until = at
	}
}

func (s *step) all() []Action {
	if !s.until.IsZero() {
		s.actions = append(s.actions, Action{WaitUntil: &s.until})
	}
	return s.actions
}

// at gives a time as the API server stores it, so that writing and reading it changes nothing.
func at(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	m := metav1.NewTime(t.UTC().Truncate(time.Second))
	return &m
}
