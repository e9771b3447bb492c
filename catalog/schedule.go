package catalog

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/assay-dev/assay/api/fault"
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
// there is none within eight years. seed spreads H: the same seed gives the same times. A
// schedule that cannot be understood is a fault InvalidCatalog.
//
// Where clocks are changed, a time that is skipped comes at the change, and one that is
// repeated comes once; but a cron that names every hour follows the real time.
func Next(schedule v1alpha1.Schedule, seed string, after time.Time) (time.Time, error) {
	clock, err := newWallClock(schedule, seed)
	if err != nil {
		return time.Time{}, err
	}
	return utc(clock.next(after)), nil
}

// Last gives the latest time of the schedule in (since, now], in UTC, and whether there is
// one. Missed times before it are dropped: they do not pile up. since may be the zero time.
func Last(schedule v1alpha1.Schedule, seed string, since, now time.Time) (time.Time, bool, error) {
	clock, err := newWallClock(schedule, seed)
	if err != nil {
		return time.Time{}, false, err
	}
	if oldest := now.AddDate(-cronYears, 0, 0); since.Before(oldest) {
		since = oldest
	}
	from, to := since.Unix(), now.Unix()
	if from >= to {
		return time.Time{}, false, nil
	}
	// There is a time in (x, now] for every x up to the one sought, and for none after it.
	none := sort.Search(int(to-from), func(i int) bool {
		t := clock.next(time.Unix(from+int64(i), 0))
		return t.IsZero() || t.Unix() > to
	})
	if none == 0 {
		return time.Time{}, false, nil
	}
	return utc(clock.next(time.Unix(from+int64(none)-1, 0))), true, nil
}

// Due gives the suites with a scheduled time in (since, now], each once with its latest one,
// sorted by suite. Suspended suites are left out. seed names the repository and the
// environment; the suite's name is added to it, see [ScheduleSeed]. A schedule that cannot be
// computed is an error beside what is due of the others.
func Due(c Catalog, seed string, since, now time.Time) ([]Scheduled, error) {
	var due []Scheduled
	var errs []error
	for _, suite := range c.Suites {
		latest := Scheduled{Suite: suite.Name}
		for _, schedule := range schedulesOf(suite) {
			t, found, err := Last(schedule, ScheduleSeed(seed, suite.Name), since, now)
			if err != nil {
				errs = append(errs, scheduleFault(suite, err))
			} else if found && t.After(latest.Time) {
				latest.Time = t
			}
		}
		if !latest.Time.IsZero() {
			due = append(due, latest)
		}
	}
	slices.SortFunc(due, func(a, b Scheduled) int { return strings.Compare(a.Suite, b.Suite) })
	return due, errors.Join(errs...)
}

// schedulesOf gives the schedules of a suite that are in force.
func schedulesOf(suite Suite) []v1alpha1.Schedule {
	if suite.Spec.Suspend || suite.Spec.On == nil {
		return nil
	}
	return suite.Spec.On.Schedule
}

// scheduleFault names the suite whose schedule cannot be computed.
func scheduleFault(suite Suite, err error) error {
	var named []error
	for _, f := range fault.All(err) {
		of := *f
		of.Message = fmt.Sprintf("the suite %q: %s", suite.Name, f.Message)
		named = append(named, fault.At(&of, fault.Place{File: suite.File, Field: "spec.on.schedule"}))
	}
	return errors.Join(named...)
}

// ScheduleSeed is the seed of a suite's schedules, of the seed that names the repository and
// the environment.
func ScheduleSeed(seed, suite string) string { return seed + "/" + suite }

func newWallClock(schedule v1alpha1.Schedule, seed string) (wallClock, error) {
	parsed, err := parseCron(schedule.Cron, seed)
	if err != nil {
		return wallClock{}, fault.New(fault.InvalidCatalog, fault.Place{}, "write minute, hour, day of month, month and day of week, such as H 2 * * *", "%s is no cron: %w", shown(schedule.Cron), err)
	}
	zone, err := location(schedule.TimeZone)
	if err != nil {
		return wallClock{}, fault.New(fault.InvalidCatalog, fault.Place{}, "write a name of the IANA data base, such as Europe/Berlin", "%s is no time zone", shown(schedule.TimeZone))
	}
	return wallClock{cron: parsed, zone: zone}, nil
}

// location reads a zone of the data base that the program carries. "Local" would be the
// machine's, which means nothing to a team.
func location(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("it depends on the machine")
	}
	return time.LoadLocation(name) // "" is UTC
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
