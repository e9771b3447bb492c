package catalog

import (
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Scheduled is a suite whose time has come.
type Scheduled struct {
	// Suite is its name.
	Suite string
	// Time that the schedule names, which is not later than now.
	Time time.Time
}

// Next gives the first time of the schedule after the given one, in UTC; the zero time when
// there is none within five years. seed spreads H: the same seed gives the same times.
func Next(schedule v1alpha1.Schedule, seed string, after time.Time) (time.Time, error) {
	panic("being written")
}

// Last gives the latest time of the schedule in (since, now], in UTC, and whether there is
// one. Missed times before it are dropped: they do not pile up.
func Last(schedule v1alpha1.Schedule, seed string, since, now time.Time) (time.Time, bool, error) {
	panic("being written")
}

// Due gives the suites with a scheduled time in (since, now], each once with its latest one,
// sorted by suite. Suspended suites are left out. seed names the repository and the
// environment; the suite's name is added to it.
func Due(c Catalog, seed string, since, now time.Time) ([]Scheduled, error) {
	panic("being written")
}
