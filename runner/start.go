package runner

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// refusalPause is how long to wait before an attempt is tried again that there was no room for, unless the fault says.
const refusalPause = 15 * time.Second

// slotPause is when to look again while there is no place, at the latest: whoever frees one says so before.
const slotPause = time.Minute

// start asks for the next attempt of every suite that waits for one, in the order of the plan, as far as there are slots.
func (s *step) start() {
	free := s.obs.Slots
	for i := range s.status.Suites {
		suite := &s.status.Suites[i]
		id, due := next(suite)
		if !due || s.forbidden(suite) || s.refused(suite, id) {
			continue
		}
		switch {
		case s.env.Spec.Suspend:
			hold(suite, fmt.Sprintf("environment %q is suspended", s.env.Name))
		case free <= 0:
			hold(suite, fmt.Sprintf("waiting for a free slot in environment %q", s.env.Name))
			s.lookAgain(s.now.Add(slotPause))
		default:
			free--
			hold(suite, "")
			s.actions = append(s.actions, Action{Start: &id})
		}
	}
}

// wait lets every suite that waits for an attempt go on waiting, as nothing can be started. Once nothing runs any more
// and it will not pass, or has lasted too long, they end.
func (s *step) wait() {
	ends := !slices.ContainsFunc(s.status.Suites, func(suite v1alpha1.SuiteStatus) bool { return active(&suite) }) &&
		givesUp(s.run.Status, s.obs.Blocked, s.now)
	reason, message := string(fault.ReasonOf(s.obs.Blocked)), fault.Summary(fault.Here(s.obs.Blocked))
	for i := range s.status.Suites {
		suite := &s.status.Suites[i]
		if _, due := next(suite); !due {
			continue
		}
		hold(suite, message)
		if ends {
			s.endSuite(suite, v1alpha1.StateErrored, reason, message)
		}
	}
	pause := fault.RetryAfter(s.obs.Blocked)
	if pause <= 0 {
		pause = refusalPause
	}
	s.lookAgain(s.now.Add(pause))
}

// next gives the attempt that a suite waits for, and whether it does.
func next(suite *v1alpha1.SuiteStatus) (AttemptID, bool) {
	id := AttemptID{unitOf(suite), 1}
	if suite.State.Final() || active(suite) {
		return id, false
	}
	if n := len(suite.Attempts); n > 0 {
		id.Number = suite.Attempts[n-1].Number + 1
	}
	return id, true
}

// unitOf is the one unit of a suite.
func unitOf(suite *v1alpha1.SuiteStatus) Unit { return Unit{Suite: suite.Name} }

// active says whether an attempt of the suite is not final.
func active(suite *v1alpha1.SuiteStatus) bool {
	return slices.ContainsFunc(suite.Attempts, func(a v1alpha1.Attempt) bool { return !a.State.Final() })
}

// heldBytes is the most of why a suite waits. The condition has all of it.
const heldBytes = 256

// hold says why a suite that has never started waits. One that waits for another attempt keeps saying why.
func hold(suite *v1alpha1.SuiteStatus, message string) {
	if len(suite.Attempts) == 0 {
		suite.Reason, suite.Message = "", shortened(message, heldBytes) // a thousand may wait for the same
	}
}

// forbidden ends a suite that the environment's policy does not let start, or that is not there.
func (s *step) forbidden(suite *v1alpha1.SuiteStatus) bool {
	var err error
	if rendered, ok := s.suites[suite.Name]; ok {
		err = catalog.CheckPolicy(rendered, s.env, s.run.Spec.Cause.Type)
	} else {
		err = fault.New(fault.SuiteNotFound, fault.Place{}, "", "suite %q is in the plan and not in the catalog", suite.Name)
	}
	if err == nil {
		return false
	}
	suite.State, suite.Reason, suite.Message = v1alpha1.StateErrored, string(fault.ReasonOf(err)), fault.Summary(fault.Here(err))
	return true
}

// refused takes note of an attempt that could not be started.
func (s *step) refused(suite *v1alpha1.SuiteStatus, id AttemptID) bool {
	for _, r := range s.obs.Refused {
		if r.AttemptID != id {
			continue
		}
		if fault.Of(r.Err) != fault.User {
			hold(suite, fault.Summary(fault.Here(r.Err)))
			pause := fault.RetryAfter(r.Err)
			if pause <= 0 {
				pause = refusalPause
			}
			s.lookAgain(s.now.Add(pause))
			return true
		}
		a := v1alpha1.Attempt{Number: id.Number, Pod: PodName(s.run, id), StartTime: at(s.now)}
		s.end(&a, v1alpha1.StateErrored, fault.ReasonOf(r.Err), fault.Summary(fault.Here(r.Err)), s.now)
		suite.Attempts = append(suite.Attempts, a)
		s.follow(suite)
		return true
	}
	return false
}
