package status

import (
	"fmt"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// tally sorts the suites of an environment by what is said of them; each list is by name.
type tally struct {
	suites          int
	failed, errored []suite // required ones
	lenient         []suite // others that went wrong
	open            []suite // that run, and are not settled by the plan
	reused          int
}

func tallyOf(m runner.Merged) tally {
	var t tally
	for _, s := range suitesOf(m) {
		t.suites++
		if s.plan.Reused != nil {
			t.reused++
		} else if s.plan.Violation == "" && (len(m.Renewed) == 0 || !s.status.State.Final()) {
			t.open = append(t.open, s)
		}
		switch {
		case !s.bad():
		case !s.required():
			t.lenient = append(t.lenient, s)
		case s.status.State == v1alpha1.StateFailed:
			t.failed = append(t.failed, s)
		default:
			t.errored = append(t.errored, s)
		}
	}
	return t
}

// passed is the line on an environment where nothing that is required went wrong.
func (t tally) passed(r *v1alpha1.TestRun) string {
	if t.suites == 0 {
		return nothingConcerned(r)
	}
	line := count(t.suites-len(t.lenient), "suite") + " passed"
	if t.reused > 0 {
		line += fmt.Sprintf(", %d of them in an earlier run", t.reused)
	}
	if len(t.lenient) > 0 {
		line += "; not required and not passed: " + names(suiteNames(t.lenient))
	}
	return line
}

func suiteNames(suites []suite) []string {
	var out []string
	for _, s := range suites {
		out = append(out, s.status.Name)
	}
	return out
}

func withReasons(suites []suite) []string {
	out := suiteNames(suites)
	for i, s := range suites {
		if s.status.Reason != "" {
			out[i] += " (" + s.status.Reason + ")"
		}
	}
	return out
}
