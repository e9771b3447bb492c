package status

import (
	"cmp"
	"maps"
	"slices"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
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
			cmp.Compare(last(isCancelled(a)), last(isCancelled(b))),
			b.CreationTimestamp.Compare(a.CreationTimestamp.Time),
			cmp.Compare(last(refused(a)), last(refused(b))), // one that repeats it may come within the second
			cmp.Compare(b.Spec.Cause.Type.Rules().Rank, a.Spec.Cause.Type.Rules().Rank),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return runs
}

// refused says whether the run ended before it was planned.
func refused(r *v1alpha1.TestRun) bool { return runner.StateOf(r).Final() && !runner.IsPlanned(r) }

func isCancelled(r *v1alpha1.TestRun) bool { return runner.StateOf(r) == v1alpha1.StateCancelled }

func last(b bool) int {
	if b {
		return 1
	}
	return 0
}

// speaks says whether the run decides about its commit: one about the change itself, and not
// about suites that somebody chose.
func speaks(r *v1alpha1.TestRun) bool {
	return r.Spec.Cause.Type.Rules().AboutChange && len(r.Spec.Suites) == 0
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

// speakers gives for each environment its first run that speaks, with what all the runs of
// the commit renewed of it, sorted by environment. own are those that may speak.
func speakers(own, all []*v1alpha1.TestRun) []runner.Merged {
	first := map[string]*v1alpha1.TestRun{}
	for _, r := range own {
		if speaks(r) && first[r.Spec.Environment] == nil {
			first[r.Spec.Environment] = r
		}
	}
	var out []runner.Merged
	for _, environment := range slices.Sorted(maps.Keys(first)) {
		out = append(out, runner.Merge(first[environment], all))
	}
	return out
}

// suite is a suite that runs: its plan entry and how it stands.
type suite struct {
	run     *v1alpha1.TestRun // that has its attempts
	renewed bool              // run is not the one that speaks
	plan    v1alpha1.PlannedSuite
	status  v1alpha1.SuiteStatus
}

// suitesOf gives the suites that run, sorted by name.
func suitesOf(m runner.Merged) []suite {
	plan := map[string]v1alpha1.PlannedSuite{}
	for _, p := range m.Run.Status.Plan {
		plan[p.Suite] = p
	}
	var out []suite
	for _, s := range runner.Suites(m.Run) {
		out = append(out, suite{run: m.RanIn(s.Name), renewed: m.Renewed[s.Name] != nil, plan: plan[s.Name], status: s})
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

// stopped says whether the suite was ended from outside: for its time, or for what it used.
// Then that is what went wrong, whatever cases its report lacks.
func (s suite) stopped() bool {
	reasons := []string{string(fault.TimedOut), string(fault.LimitExceeded)}
	return s.status.State == v1alpha1.StateFailed && s.status.Message != "" && slices.Contains(reasons, s.status.Reason)
}

// anyBad says whether a run, or a suite of any gate, went wrong.
func anyBad(all []runner.Merged) bool {
	for _, m := range all {
		if state := runner.StateOf(m.Run); state == v1alpha1.StateFailed || state == v1alpha1.StateErrored ||
			slices.ContainsFunc(suitesOf(m), suite.bad) {
			return true
		}
	}
	return false
}
