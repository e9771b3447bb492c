package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Timetable names the schedules of a catalog that are in force: catalogs with the same suites,
// crons and time zones have the same one. It is empty when nothing is scheduled.
func Timetable(c Catalog) string {
	h := sha256.New()
	scheduled := false
	for _, suite := range c.Suites {
		for _, s := range schedulesOf(suite) {
			fmt.Fprintf(h, "%q %q %q\n", suite.Name, s.Cron, zoneOf(s))
			scheduled = true
		}
	}
	if !scheduled {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ScheduledSuites counts the suites with a schedule that is in force.
func ScheduledSuites(c Catalog) int {
	n := 0
	for _, suite := range c.Suites {
		if len(schedulesOf(suite)) > 0 {
			n++
		}
	}
	return n
}

// ScheduledBefore gives the suites of c with those of their schedules that were in force in an
// earlier catalog, too. The others are new: a time that they name counts only from now on.
func ScheduledBefore(c, earlier Catalog) Catalog {
	known := Catalog{}
	for _, suite := range c.Suites {
		before, _ := earlier.Suite(suite.Name)
		var both []v1alpha1.Schedule
		for _, s := range schedulesOf(suite) {
			if slices.ContainsFunc(schedulesOf(before), func(b v1alpha1.Schedule) bool {
				return b.Cron == s.Cron && zoneOf(b) == zoneOf(s)
			}) {
				both = append(both, s)
			}
		}
		if len(both) > 0 {
			suite.Spec.On = &v1alpha1.Triggers{Schedule: both}
			known.Suites = append(known.Suites, suite)
		}
	}
	return known
}

func zoneOf(s v1alpha1.Schedule) string {
	if s.TimeZone == "" {
		return "UTC"
	}
	return s.TimeZone
}
