package runner

import (
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// conclude sets state, message, completion time and conditions of a run by its suites.
func conclude(status *v1alpha1.TestRunStatus, now time.Time) {
	t := tallyOf(*status)
	switch {
	case !t.final:
		if status.State == "" {
			status.State = v1alpha1.StatePending
		}
		if t.started {
			status.State = v1alpha1.StateRunning
		}
	case len(t.cancelled) > 0:
		status.State = v1alpha1.StateCancelled
	case len(t.failed) > 0:
		status.State = v1alpha1.StateFailed
	case len(t.errored) > 0:
		status.State = v1alpha1.StateErrored
	default:
		status.State = v1alpha1.StatePassed
	}
	status.Message = t.message(*status)
	if status.State.Final() && status.CompletionTime == nil {
		status.CompletionTime = at(now)
	}
	setConditions(status, t, now)
}

// tally sorts the suites of a run by what they mean for its state.
type tally struct {
	suites          int
	open            int // suites that the plan has not settled: they run, or ran
	reused          int
	started, final  bool
	failed, errored []string // required suites
	tolerated       []string // others that failed or errored
	cancelled       []string
	reason          string // of the suite that decides
}

func tallyOf(status v1alpha1.TestRunStatus) tally {
	t := tally{suites: len(status.Suites), final: true}
	plan := map[string]v1alpha1.PlannedSuite{}
	for _, entry := range status.Plan {
		plan[entry.Suite] = entry
	}
	for _, suite := range status.Suites {
		t.final = t.final && suite.State.Final()
		entry := plan[suite.Name]
		if entry.Reused != nil {
			t.reused++
		}
		if entry.Reused == nil && entry.Violation == "" {
			t.open++
			t.started = t.started || suite.State != v1alpha1.StatePending
		}
		bad := suite.State == v1alpha1.StateFailed || suite.State == v1alpha1.StateErrored
		switch {
		case bad && !required(entry):
			t.tolerated = append(t.tolerated, suite.Name)
		case suite.State == v1alpha1.StateFailed:
			t.failed = append(t.failed, suite.Name)
		case suite.State == v1alpha1.StateErrored:
			t.errored = append(t.errored, suite.Name)
		case suite.State == v1alpha1.StateCancelled:
			t.cancelled = append(t.cancelled, suite.Name)
		}
	}
	t.reason = t.deciding(status.Suites)
	return t
}

// deciding gives the reason of the first suite that makes the run's state.
func (t tally) deciding(suites []v1alpha1.SuiteStatus) string {
	for _, names := range [][]string{t.cancelled, t.failed, t.errored} {
		if len(names) == 0 { // they are in the order of the suites
			continue
		}
		for _, suite := range suites {
			if suite.Name == names[0] {
				return suite.Reason
			}
		}
	}
	return ""
}

func required(p v1alpha1.PlannedSuite) bool { return p.Gate == "" || p.Gate == v1alpha1.GateRequired }
