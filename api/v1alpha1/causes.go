package v1alpha1

// CauseRules say what a cause means to those who treat causes differently. The zero value is
// that of a cause nobody knows: it decides nothing, proves nothing, and runs what is named.
//
// +kubebuilder:object:generate=false
type CauseRules struct {
	// AboutChange: the run is about a change, and decides about its commit.
	AboutChange bool
	// Proved: only the controller makes such runs, and proves that it did: see package proof.
	Proved bool
	// Superseded: a newer head of the same branch, tag or pull request takes its place.
	Superseded bool
	// ProvesBranch: what passes has passed for the branch. What a pull request brings may
	// never be merged.
	ProvesBranch bool
	// Selects: without names the change selects the suites.
	Selects bool
	// Everything: without names every suite runs that is not suspended.
	Everything bool
	// Asked: somebody chose the suites that are named, so that they run though suspended.
	Asked bool
	// Reuses: an earlier pass of a hermetic suite may stand for running it.
	Reuses bool
	// Renews: the run may renew what an earlier run about the change said of its commit.
	Renews bool
	// Rank among runs of the same second: the higher one speaks first.
	Rank int
}

// causes is the one table of what a cause means.
var causes = map[CauseType]CauseRules{
	CausePullRequest: {AboutChange: true, Proved: true, Superseded: true, Selects: true, Asked: true, Reuses: true, Rank: 4},
	CausePush:        {AboutChange: true, Proved: true, Superseded: true, ProvesBranch: true, Selects: true, Asked: true, Rank: 3},
	CauseAPI:         {ProvesBranch: true, Everything: true, Asked: true, Renews: true, Rank: 2},
	CauseSchedule:    {Proved: true, ProvesBranch: true, Rank: 1},
}

// Rules gives what the cause means.
func (t CauseType) Rules() CauseRules { return causes[t] }

// Moving is what has heads, one after the other: a branch, a tag, or a pull request.
//
// +kubebuilder:object:generate=false
type Moving struct {
	// Branch and Tag have no prefix. Both are empty for a pull request.
	Branch, Tag string
	// PullRequest is 0 for a branch or tag.
	PullRequest int64
}

// HeadOf gives what the run's commit is, or was, the head of. Runs of schedules and requests
// stand for themselves: they are of no head.
func (s TestRunSpec) HeadOf() (moving Moving, ok bool) {
	switch {
	case !s.Cause.Type.Rules().Superseded:
		return Moving{}, false
	case s.Cause.PullRequest != nil:
		return Moving{PullRequest: s.Cause.PullRequest.Number}, true
	}
	// Another tag is another release, which stands for itself.
	return Moving{Branch: s.Branch, Tag: s.Tag}, true
}
