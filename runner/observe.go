package runner

import (
	"slices"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// lagGrace is how long a pod may be missing after its creation: a cache may not show it yet.
const lagGrace = 30 * time.Second

// observe brings the attempts of a suite up to what is observed, and the suite up to its attempts. Attempts that were
// started before the status could tell of them follow in their order, as long as the one before was lost.
func (s *step) observe(suite *v1alpha1.SuiteStatus) {
	if suite.State.Final() {
		return
	}
	for i := range suite.Attempts {
		s.observeAttempt(suite, &suite.Attempts[i])
	}
	s.follow(suite)
	for _, o := range s.observed[unitOf(suite)] {
		if id, due := next(suite); due && o.Number >= id.Number {
			suite.Attempts = append(suite.Attempts, v1alpha1.Attempt{
				Number: o.Number, Pod: o.Pod, PodUID: o.UID, State: v1alpha1.StatePending, StartTime: at(o.Created),
			})
			s.judge(&suite.Attempts[len(suite.Attempts)-1], suite, o)
			s.follow(suite)
		}
	}
}

// observeAttempt brings an attempt up to its pod; without one it is lost.
func (s *step) observeAttempt(suite *v1alpha1.SuiteStatus, a *v1alpha1.Attempt) {
	if a.State.Final() {
		return
	}
	i := slices.IndexFunc(s.observed[unitOf(suite)], func(o ObservedAttempt) bool { return isOf(o, *a) })
	if i >= 0 {
		a.PodUID = s.observed[unitOf(suite)][i].UID
		s.judge(a, suite, s.observed[unitOf(suite)][i])
		return
	}
	if a.StartTime != nil {
		if patience := a.StartTime.Add(lagGrace); s.now.Before(patience) {
			s.lookAgain(patience)
			return
		}
	}
	s.end(a, v1alpha1.StateErrored, fault.PodLost, "the pod vanished before it ended", s.now)
}

// isOf says whether the pod is the attempt's: the very one that was recorded, and not another that took its name since.
func isOf(o ObservedAttempt, a v1alpha1.Attempt) bool {
	return o.Number == a.Number && o.Pod == a.Pod && (a.PodUID == "" || o.UID == "" || a.PodUID == o.UID)
}

// follow sets the state of a suite by its last attempt.
func (s *step) follow(suite *v1alpha1.SuiteStatus) {
	if len(suite.Attempts) == 0 {
		return
	}
	last := suite.Attempts[len(suite.Attempts)-1]
	suite.State, suite.Reason, suite.Message = last.State, last.Reason, last.Message
	switch {
	case !last.State.Final():
		suite.State = v1alpha1.StateRunning
	case s.retry(suite):
		suite.State = v1alpha1.StateRunning
		suite.Message = "the cluster lost the last attempt, another follows: " + last.Message
	}
	if !suite.State.Final() {
		return
	}
	for _, o := range s.observed[unitOf(suite)] {
		if !isOf(o, last) {
			continue
		}
		s.ranWith(o)
		if o.Outcome != nil {
			suite.Cases, suite.Failures = cases(o.Outcome), failures(o.Outcome)
			suite.Output = output(*suite, o.Outcome)
		}
	}
}

// end makes an attempt final.
func (s *step) end(a *v1alpha1.Attempt, state v1alpha1.RunState, reason fault.Reason, message string, when time.Time) {
	if when.IsZero() {
		when = s.now
	}
	a.State, a.Reason, a.Message, a.CompletionTime = state, string(reason), message, at(when)
}
