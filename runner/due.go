package runner

import (
	"slices"
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Due gives the attempts that a planned run would start now if there were places for all, in the order of the plan.
// Next starts the first of them.
func Due(run *v1alpha1.TestRun, suites map[string]catalog.Suite, env *v1alpha1.TestEnvironment, obs Observed, now time.Time) []AttemptID {
	if run.Status.State.Final() || !planned(run.Status) || run.Spec.Cancel || obs.Superseded || obs.Blocked != nil || env.Spec.Suspend {
		return nil
	}
	obs.Attempts = own(run, obs.Attempts)
	s := step{
		run: run, suites: suites, env: env, obs: obs, now: now,
		status:   *run.Status.DeepCopy(),
		observed: byUnit(obs.Attempts),
	}
	s.enter()
	var due []AttemptID
	for i := range s.status.Suites {
		suite := &s.status.Suites[i]
		s.observe(suite)
		refused := func(r Refusal) bool { return r.Suite == suite.Name }
		if id, waits := next(suite); waits && !slices.ContainsFunc(obs.Refused, refused) {
			due = append(due, id)
		}
	}
	return due
}
