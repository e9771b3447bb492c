package schedule

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
)

// TestAClockThatWasAhead: what is remembered as dealt with a year from now stops no schedule.
func TestAClockThatWasAhead(t *testing.T) {
	s := newStage(t, catalogstest.Commits{sha("1"): suitesAt("load=0 * * * *")})
	s.looks("09:30:00")
	repo := s.repo()
	repo.Status.Schedules[0].Time.Time = repo.Status.Schedules[0].Time.Add(365 * 24 * time.Hour)
	if err := s.Status().Update(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	s.looks("09:40:00", "10:00:00", "11:00:01")
	var all v1alpha1.TestRunList
	if err := s.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Items) != 1 && len(all.Items) != 2 { // the first is still open
		t.Errorf("there are %d runs", len(all.Items))
	}
}
