package runner

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Merged is what the runs of a commit say together in an environment.
type Merged struct {
	// Run is the one about the change with its suites as they stand now: the run itself when
	// nothing renewed it, else a copy with state, message and conditions of its own.
	Run *v1alpha1.TestRun
	// Renewed gives, for each suite that a later run renewed, that run.
	Renewed map[string]*v1alpha1.TestRun
}

// RanIn gives the run that has the attempts of a suite.
func (m Merged) RanIn(suite string) *v1alpha1.TestRun {
	return cmp.Or(m.Renewed[suite], m.Run)
}

// Merge gives what base, a run about the change, says together with those of the others that
// somebody asked for since: at the same commit, in the same environment. The order of the
// others does not matter, nor does what else is among them.
//
// A suite that base runs stands as in the newest of them that ran it, and is pending while that
// one goes on. Suites that base left out are not added. A base that ended before it was
// planned says nothing of any suite: the first run since that was planned, and not for chosen
// suites only, takes its place. What was refused before it was planned, or cancelled, changes
// nothing.
func Merge(base *v1alpha1.TestRun, others []*v1alpha1.TestRun) Merged {
	since := renewals(base, others)
	if !IsPlanned(base) && StateOf(base).Final() {
		whole := slices.IndexFunc(since, func(r *v1alpha1.TestRun) bool { return len(r.Spec.Suites) == 0 })
		if whole < 0 {
			return Merged{Run: base}
		}
		base, since = since[whole], since[whole+1:]
	}
	if len(since) == 0 {
		return Merged{Run: base}
	}
	merged := Merged{Run: base.DeepCopy(), Renewed: map[string]*v1alpha1.TestRun{}}
	merged.Run.Status.Suites = Suites(merged.Run)
	for _, later := range since { // the newest last
		renew(&merged, later)
	}
	if len(merged.Renewed) == 0 {
		return Merged{Run: base}
	}
	status := &merged.Run.Status
	status.State, status.CompletionTime = v1alpha1.StatePending, nil
	conclude(status, lastOf(merged.Renewed))
	return merged
}

// renewals gives the runs that may renew the base, the oldest first. Times have seconds only:
// within one a run that was asked for came later, as nobody asks for what is not there.
func renewals(base *v1alpha1.TestRun, others []*v1alpha1.TestRun) []*v1alpha1.TestRun {
	var since []*v1alpha1.TestRun
	for _, r := range others {
		if r.Spec.Cause.Type.Rules().Renews && sameHead(base, r) && IsPlanned(r) &&
			StateOf(r) != v1alpha1.StateCancelled && !r.CreationTimestamp.Before(&base.CreationTimestamp) {
			since = append(since, r)
		}
	}
	slices.SortFunc(since, func(a, b *v1alpha1.TestRun) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return since
}

func sameHead(a, b *v1alpha1.TestRun) bool {
	return a.Namespace == b.Namespace && a.Spec.RepositoryRef == b.Spec.RepositoryRef &&
		a.Spec.Commit == b.Spec.Commit && a.Spec.Environment == b.Spec.Environment
}

// renew lets the suites of a run stand for those of the same names.
func renew(merged *Merged, later *v1alpha1.TestRun) {
	status := &merged.Run.Status
	for _, again := range Suites(later) {
		i := slices.IndexFunc(status.Suites, func(s v1alpha1.SuiteStatus) bool { return s.Name == again.Name })
		if i < 0 || again.State == v1alpha1.StateCancelled {
			continue
		}
		if !later.Status.State.Final() {
			again = v1alpha1.SuiteStatus{Name: again.Name, State: v1alpha1.StatePending}
		}
		status.Suites[i] = *again.DeepCopy()
		old, fresh := entryOf(status.Plan, again.Name), entryOf(later.Status.Plan, again.Name)
		if old != nil && fresh != nil {
			fresh.DeepCopyInto(old)
		}
		merged.Renewed[again.Name] = later
	}
}

// entryOf gives the plan's entry of a suite; nil when it has none.
func entryOf(plan []v1alpha1.PlannedSuite, suite string) *v1alpha1.PlannedSuite {
	i := slices.IndexFunc(plan, func(p v1alpha1.PlannedSuite) bool { return p.Suite == suite })
	if i < 0 {
		return nil
	}
	return &plan[i]
}

// lastOf gives the time of the newest of the runs.
func lastOf(runs map[string]*v1alpha1.TestRun) time.Time {
	last := time.Unix(0, 0)
	for _, r := range runs {
		if created := r.CreationTimestamp.Time; created.After(last) {
			last = created
		}
	}
	return last
}

// IsPlanned says whether the run has its plan, which may be empty.
func IsPlanned(r *v1alpha1.TestRun) bool {
	return len(r.Status.Plan) > 0 || planned(r.Status)
}

// StateOf gives the run's state. One that is deleted before its end has no end of its own: it
// is cancelled.
func StateOf(r *v1alpha1.TestRun) v1alpha1.RunState {
	if r.DeletionTimestamp != nil && !r.Status.State.Final() {
		return v1alpha1.StateCancelled
	}
	return r.Status.State
}

// Suites gives the suites of the run that run, in the order of the plan. One that has no
// status yet stands as the plan settles it, and one that is not final shares the end of a run
// that ended without it.
func Suites(r *v1alpha1.TestRun) []v1alpha1.SuiteStatus {
	known := map[string]v1alpha1.SuiteStatus{}
	for _, s := range r.Status.Suites {
		known[s.Name] = s
	}
	suites := suitesOf(r.Status.Plan, known)
	state := StateOf(r)
	if !state.Final() {
		return suites
	}
	for i := range suites {
		switch {
		case suites[i].State.Final():
		case state == v1alpha1.StateCancelled:
			suites[i].State = v1alpha1.StateCancelled
		default:
			suites[i].State = v1alpha1.StateErrored
		}
	}
	return suites
}
