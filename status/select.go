package status

import (
	"cmp"
	"slices"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// ofCommit gives the runs that are about the commit, the one that speaks before another
// first: runs that were not cancelled, then the newest, and for runs of the same second the
// order of causes and names, so that the order is total.
func ofCommit(in ComposeInput) []*v1alpha1.TestRun {
	var runs []*v1alpha1.TestRun
	for i := range in.Runs {
		r := &in.Runs[i]
		if r.Spec.Commit == in.Commit && r.Spec.RepositoryRef.Name == in.Repository.Name && r.Namespace == in.Repository.Namespace {
			runs = append(runs, r)
		}
	}
	slices.SortFunc(runs, func(a, b *v1alpha1.TestRun) int {
		return cmp.Or(
			cmp.Compare(last(stateOf(a) == v1alpha1.StateCancelled), last(stateOf(b) == v1alpha1.StateCancelled)),
			b.CreationTimestamp.Compare(a.CreationTimestamp.Time),
			cmp.Compare(last(refused(a)), last(refused(b))), // one that repeats it may come within the second
			cmp.Compare(causeRank(a), causeRank(b)),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return runs
}

// refused says whether the run ended before it was planned.
func refused(r *v1alpha1.TestRun) bool { return stateOf(r).Final() && !planned(r) }

func last(b bool) int {
	if b {
		return 1
	}
	return 0
}

// causeRank orders runs of the same second.
func causeRank(r *v1alpha1.TestRun) int {
	switch r.Spec.Cause.Type {
	case v1alpha1.CausePullRequest:
		return 0
	case v1alpha1.CausePush:
		return 1
	case v1alpha1.CauseAPI:
		return 2
	}
	return 3
}

// stateOf gives the run's state. One that is deleted before its end has no end of its own.
func stateOf(r *v1alpha1.TestRun) v1alpha1.RunState {
	if r.DeletionTimestamp != nil && !r.Status.State.Final() {
		return v1alpha1.StateCancelled
	}
	return r.Status.State
}

// aboutChange says whether the run is about the change itself, and so decides about it.
func aboutChange(r *v1alpha1.TestRun) bool {
	return r.Spec.Cause.Type == v1alpha1.CausePullRequest || r.Spec.Cause.Type == v1alpha1.CausePush
}

// ofPullRequest keeps the order.
func ofPullRequest(runs []*v1alpha1.TestRun, number int64) []*v1alpha1.TestRun {
	var own []*v1alpha1.TestRun
	for _, r := range runs {
		if pr := r.Spec.Cause.PullRequest; pr != nil && number != 0 && pr.Number == number {
			own = append(own, r)
		}
	}
	return own
}

// speakers gives the first run of each environment among those about the change, sorted by
// environment.
func speakers(runs []*v1alpha1.TestRun) []*v1alpha1.TestRun {
	first := map[string]*v1alpha1.TestRun{}
	for _, r := range runs {
		if aboutChange(r) && first[r.Spec.Environment] == nil {
			first[r.Spec.Environment] = r
		}
	}
	var out []*v1alpha1.TestRun
	for _, r := range first {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *v1alpha1.TestRun) int { return cmp.Compare(a.Spec.Environment, b.Spec.Environment) })
	return out
}

// suite is a suite of one run that runs: its plan entry and how it stands.
type suite struct {
	run    *v1alpha1.TestRun
	plan   v1alpha1.PlannedSuite
	status v1alpha1.SuiteStatus
}

// suitesOf gives the suites of the run that run, sorted by name. One that has no status yet
// is pending, or shares the end of a run that ended without it.
func suitesOf(r *v1alpha1.TestRun) []suite {
	stand := map[string]v1alpha1.SuiteStatus{}
	for _, s := range r.Status.Suites {
		stand[s.Name] = s
	}
	var out []suite
	for _, p := range r.Status.Plan {
		if !p.Run {
			continue
		}
		s, ok := stand[p.Suite]
		if !ok {
			s = v1alpha1.SuiteStatus{Name: p.Suite, State: v1alpha1.StatePending}
		}
		if state := stateOf(r); !s.State.Final() && state.Final() {
			s.State = v1alpha1.StateErrored
			if state == v1alpha1.StateCancelled {
				s.State = v1alpha1.StateCancelled
			}
		}
		out = append(out, suite{run: r, plan: p, status: s})
	}
	slices.SortFunc(out, func(a, b suite) int { return cmp.Compare(a.status.Name, b.status.Name) })
	return out
}

// required says whether a failure of the suite fails the verdict.
func (s suite) required() bool {
	return s.plan.Gate == v1alpha1.GateRequired || s.plan.Gate == ""
}

// ranIn gives the run that has the pods and the logs: an earlier one when its pass is reused.
// Of that one only the name is known.
func (s suite) ranIn() *v1alpha1.TestRun {
	if s.plan.Reused == nil {
		return s.run
	}
	earlier := &v1alpha1.TestRun{}
	earlier.Namespace, earlier.Name = s.run.Namespace, s.plan.Reused.Run
	return earlier
}

// bad says whether something was found wrong or could not be found out.
func (s suite) bad() bool {
	return s.status.State == v1alpha1.StateFailed || s.status.State == v1alpha1.StateErrored
}

// anyBad says whether a run, or a suite of any gate, went wrong.
func anyBad(runs []*v1alpha1.TestRun) bool {
	for _, r := range runs {
		if state := stateOf(r); state == v1alpha1.StateFailed || state == v1alpha1.StateErrored || slices.ContainsFunc(suitesOf(r), suite.bad) {
			return true
		}
	}
	return false
}
