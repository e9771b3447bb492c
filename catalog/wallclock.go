package catalog

import (
	"math/bits"
	"time"

	cron "github.com/netresearch/go-cron"
)

// wallClock maps the wall clock times of a cron to instants in a zone, as crontab(5) has it
// where clocks are changed:
//
//   - A time that is skipped happens at the moment of the change, and several skipped ones
//     happen there once. A time that comes twice happens the first time only.
//   - But a cron that names every hour follows the real time, so that */15 is every 15 minutes
//     in the hour that is skipped or repeated, too.
type wallClock struct {
	cron *cron.SpecSchedule // in UTC, standing for wall clock times
	zone *time.Location
}

// next gives the first instant after the given one; the zero time when there is none within
// [cronYears].
func (w wallClock) next(after time.Time) time.Time {
	if w.everyHour() {
		return w.nextReal(after)
	}
	for wall := wallTime(after.In(w.zone)); ; {
		if wall = w.cron.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		// Within a repeated or skipped hour some wall clock times are at or before `after`.
		if t := w.instant(wall); t.After(after) {
			return t
		}
	}
}

func (w wallClock) everyHour() bool {
	const hours = 1<<24 - 1
	return bits.OnesCount64(w.cron.Hour&hours) == 24
}

// nextReal goes through the periods between changes of the clock: within one, the distance to
// UTC is constant.
func (w wallClock) nextReal(after time.Time) time.Time {
	limit := after.AddDate(cronYears, 0, 0)
	wall := wallTime(after.In(w.zone))
	for period := after.In(w.zone); ; {
		if wall = w.cron.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		_, offset := period.Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		_, end := period.ZoneBounds()
		if end.IsZero() || t.Before(end) {
			return t
		}
		if end.After(limit) {
			return time.Time{}
		}
		period = end.In(w.zone)
		wall = wallTime(period).Add(-time.Second) // so that the moment of the change counts
	}
}

// instant gives the first moment at which the clock shows the wall time or, when it never
// does, the moment at which that time is skipped.
func (w wallClock) instant(wall time.Time) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, w.zone)
	start, end := t.ZoneBounds()
	switch shown := wallTime(t); {
	case shown.After(wall): // t lies behind the change that skips it
		return start
	case shown.Before(wall):
		return end
	}
	if start.IsZero() {
		return t
	}
	_, before := start.Add(-time.Second).Zone()
	if earlier := wall.Add(-time.Duration(before) * time.Second); earlier.Before(start) {
		return earlier.In(w.zone)
	}
	return t
}

// wallTime is what the clock shows, as a time in UTC.
func wallTime(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}
