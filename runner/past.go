package runner

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Results gives what a run says to later ones of the suites for which a pass may be reused:
// those that passed or failed on a pod of their own, with all digests known. A run need not be
// final for it. What could not be found out, was cancelled or was itself reused says nothing.
func Results(run *v1alpha1.TestRun) []catalog.PastResult {
	planned := map[string]v1alpha1.PlannedSuite{}
	for _, p := range run.Status.Plan {
		if p.Reused == nil && p.EnvironmentDigest != "" {
			planned[p.Suite] = p
		}
	}
	var results []catalog.PastResult
	for _, suite := range run.Status.Suites {
		p, ok := planned[suite.Name]
		if !ok || suite.State != v1alpha1.StatePassed && suite.State != v1alpha1.StateFailed {
			continue
		}
		result := catalog.PastResult{
			Suite: suite.Name, Digest: p.Digest, ContentDigest: p.ContentDigest, EnvironmentDigest: p.EnvironmentDigest,
			Run: run.Name, Commit: run.Spec.Commit, Clean: clean(suite), Cases: suite.Cases,
		}
		if end := endedAt(run, suite); end != nil {
			result.Ended = end.Time
		}
		results = append(results, result)
	}
	return results
}

// endedAt is when a suite of the run ended; when the run did, where its status had no room for the attempts.
func endedAt(run *v1alpha1.TestRun, suite v1alpha1.SuiteStatus) *metav1.Time {
	if n := len(suite.Attempts); n > 0 {
		return suite.Attempts[n-1].CompletionTime
	}
	return run.Status.CompletionTime
}

// clean says whether a suite passed and nothing of it ever failed: no attempt but those that
// the cluster lost, and no case that passed only when repeated.
func clean(suite v1alpha1.SuiteStatus) bool {
	if suite.State != v1alpha1.StatePassed || suite.Cases != nil && suite.Cases.Flaky > 0 {
		return false
	}
	for _, a := range suite.Attempts {
		if a.State != v1alpha1.StatePassed && !lost(a) {
			return false
		}
	}
	return true
}

// settled gives how a suite stands before any pod of it: pending, or at its end already, as
// the plan says.
func settled(p v1alpha1.PlannedSuite) v1alpha1.SuiteStatus {
	suite := v1alpha1.SuiteStatus{Name: p.Suite, State: v1alpha1.StatePending}
	switch {
	case p.Violation != "":
		suite.State, suite.Reason, suite.Message = v1alpha1.StateErrored, string(fault.PolicyViolation), p.Violation
	case p.Reused != nil:
		suite.State, suite.Message, suite.Cases = v1alpha1.StatePassed, catalog.PassedEarlier(*p.Reused), p.Reused.Cases.DeepCopy()
	}
	return suite
}

// ranWith notes in the plan what the pod of a suite that ended was made of. The pod itself
// says so: the environment may have changed since the plan was made.
func (s *step) ranWith(o ObservedAttempt) {
	if p := entryOf(s.status.Plan, o.Suite); p != nil {
		p.ContentDigest, p.EnvironmentDigest = o.ContentDigest, o.EnvironmentDigest
	}
}
