package testrepository

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner"
)

// TestAHeadWhoseNameIsTakenRuns: names can be computed by anybody, so that somebody may have taken that of the run that
// is to come, and of some that would come instead.
func TestAHeadWhoseNameIsTakenRuns(t *testing.T) {
	s := newStage(t)
	s.polls()
	first := s.runs()[0]
	spec := first.Spec
	spec.Commit, spec.Base = hash("b"), first.Spec.Commit
	theirs := runner.NewRun(s.repo(), spec, "")
	theirs.Spec.Suites = []string{"trivial"}
	for range 3 {
		if err := s.Create(t.Context(), theirs.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		theirs = runner.Renamed(theirs)
	}
	s.heads["main"] = hash("b")
	for range 3 {
		s.polls()
	}
	own := 0
	for _, run := range s.runs() {
		if run.Spec.Commit != hash("b") || !proofKey.IsRun(&run) {
			continue
		}
		own++
		if len(run.Spec.Suites) > 0 {
			t.Errorf("the run is what somebody else wrote: %+v", run.Spec)
		}
	}
	if own != 1 {
		t.Errorf("%d runs of the head are the controller's", own)
	}
}

// TestWhatSomebodyElseMadeIsNotRepeated: a repeat has the spec of what it repeats.
func TestWhatSomebodyElseMadeIsNotRepeated(t *testing.T) {
	s := newStage(t)
	s.polls()
	spec := s.runs()[0].Spec
	spec.Suites = []string{"trivial"}
	theirs := runner.NewRun(s.repo(), spec, "theirs")
	theirs.Status = runner.Broken(theirs, fault.New(fault.CauseNotProved, fault.Place{}, "", "no"), time.Unix(2e9, 0))
	status := theirs.Status
	if err := s.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	theirs.Status = status
	if err := s.Status().Update(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	s.ask("now")
	s.polls()
	for _, run := range s.runs() {
		if proofKey.IsRun(&run) && len(run.Spec.Suites) > 0 {
			t.Errorf("it was made the controller's: %+v", run.Spec)
		}
	}
	if n := len(s.runs()); n != 2 {
		t.Errorf("there are %d runs, want the first and theirs", n)
	}
}
