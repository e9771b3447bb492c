package catalog

import (
	"errors"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

// NextDue gives the first scheduled time of any suite after the given one; the zero time when
// nothing is scheduled. seed is that of [Due].
func NextDue(c Catalog, seed string, after time.Time) (time.Time, error) {
	var next time.Time
	var errs []error
	for _, suite := range c.Suites {
		if suite.Spec.Suspend || suite.Spec.On == nil {
			continue
		}
		for _, schedule := range suite.Spec.On.Schedule {
			t, err := Next(schedule, ScheduleSeed(seed, suite.Name), after)
			if err != nil {
				errs = append(errs, fault.At(err, fault.Place{File: suite.File, Field: "spec.on.schedule"}))
			} else if !t.IsZero() && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next, errors.Join(errs...)
}
