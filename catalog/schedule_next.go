package catalog

import (
	"errors"
	"time"
)

// NextDue gives the first scheduled time of any suite after the given one; the zero time when
// nothing is scheduled. seed and error are those of [Due].
func NextDue(c Catalog, seed string, after time.Time) (time.Time, error) {
	var next time.Time
	var errs []error
	for _, suite := range c.Suites {
		for _, schedule := range schedulesOf(suite) {
			t, err := Next(schedule, ScheduleSeed(seed, suite.Name), after)
			if err != nil {
				errs = append(errs, scheduleFault(suite, err))
			} else if !t.IsZero() && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next, errors.Join(errs...)
}
