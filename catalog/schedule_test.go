package catalog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that the tests do not depend on the machine

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestNextWhereClocksChange: each case begins shortly before a change of the clock and lists
// the next times as the clock on the wall shows them, with the distance to UTC.
func TestNextWhereClocksChange(t *testing.T) {
	tests := map[string]struct {
		cron, zone, after string
		want              []string
	}{
		"a skipped time comes at the change": {
			"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		"several skipped times come once": {
			"*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00", "2026-03-30T02:20:00+02:00"},
		},
		"a skipped time that meets another comes once": {
			"0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"},
		},
		"a repeated time comes the first time only": {
			"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		"every half hour stays so when an hour is repeated": {
			"*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00"},
		},
		"every half hour stays so when an hour is skipped": {
			"*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"},
		},
		"midnight that does not exist": {
			"0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z",
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"},
		},
		"a change by half an hour": {
			"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"},
		},
		"a day that does not exist": {
			"30 0 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z",
			[]string{"2011-12-31T00:00:00+14:00", "2011-12-31T00:30:00+14:00"},
		},
		"a leap day far away": {
			"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z",
			[]string{"2104-02-29T00:00:00Z"},
		},
		"either day counts when both are restricted": {
			"0 0 13 * 5", "UTC", "2026-02-10T00:00:00Z",
			[]string{"2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			zone := mustLoad(t, test.zone)
			at := mustParse(t, test.after)
			var got []string
			for range test.want {
				next, err := Next(v1alpha1.Schedule{Cron: test.cron, TimeZone: test.zone}, "seed", at)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, next.In(zone).Format(time.RFC3339))
				at = next
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
		})
	}
}

var propertyZones = []string{"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "America/Nuuk"}

// TestNextAgreesWithTheClockOnTheWall compares Next with going through the minutes one by one,
// as a cron daemon does: a fixed time happens when the clock first shows it or passes it.
func TestNextAgreesWithTheClockOnTheWall(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		zone := mustLoad(t, propertyZones[random.IntN(len(propertyZones))])
		start := changeOfClock(zone, random).Add(-time.Duration(random.IntN(72)) * time.Hour).Truncate(time.Minute)
		fixed := random.IntN(2) == 0
		cron := fmt.Sprintf("*/%d * * * *", 1+random.IntN(59))
		if fixed {
			cron = fmt.Sprintf("%d %d * * *", random.IntN(60), random.IntN(24))
		}
		t.Run(fmt.Sprintf("%s in %s after %s", cron, zone, start.Format(time.RFC3339)), func(t *testing.T) {
			want := minuteByMinute(t, cron, zone, start, 96*time.Hour, fixed)
			var got []time.Time
			for at := start; ; {
				next, err := Next(v1alpha1.Schedule{Cron: cron, TimeZone: zone.String()}, "", at)
				if err != nil {
					t.Fatal(err)
				}
				if !next.After(at) {
					t.Fatalf("%s does not come after %s", next, at)
				}
				if next.After(start.Add(96 * time.Hour)) {
					break
				}
				got, at = append(got, next), next
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("times (-minute by minute +Next):\n%s", diff)
			}
		})
	}
}

// minuteByMinute looks at the clock on the wall each minute. A fixed time comes when the clock
// jumps over it, too, and not again when the clock is put back.
func minuteByMinute(t *testing.T, cron string, zone *time.Location, start time.Time, span time.Duration, fixed bool) []time.Time {
	t.Helper()
	parsed, err := parseCron(cron, "")
	if err != nil {
		t.Fatal(err)
	}
	matches := func(wall time.Time) bool { return parsed.Next(wall.Add(-time.Second)).Equal(wall) }
	var times []time.Time
	latest := wallTime(start.In(zone)) // the furthest that the clock has shown
	for at := start.Add(-3 * time.Hour); at.Before(start); at = at.Add(time.Minute) {
		if wall := wallTime(at.In(zone)); wall.After(latest) {
			latest = wall
		}
	}
	for at := start.Add(time.Minute); !at.After(start.Add(span)); at = at.Add(time.Minute) {
		wall := wallTime(at.In(zone))
		if !fixed {
			if matches(wall) {
				times = append(times, at.UTC())
			}
			continue
		}
		for missed := latest.Add(time.Minute); !missed.After(wall); missed = missed.Add(time.Minute) {
			if matches(missed) {
				times = append(times, at.UTC())
				break
			}
		}
		if wall.After(latest) {
			latest = wall
		}
	}
	return times
}

// changeOfClock finds a change of the clock in the zone, or some time when there is none.
func changeOfClock(zone *time.Location, random *rand.Rand) time.Time {
	at := time.Date(2008+random.IntN(25), time.Month(1+random.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
	if _, end := at.In(zone).ZoneBounds(); !end.IsZero() {
		return end
	}
	return at
}

func TestLastIsTheLatestOfThoseThatNextGives(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		zone := propertyZones[random.IntN(len(propertyZones))]
		schedule := v1alpha1.Schedule{Cron: fmt.Sprintf("%d */%d * * *", random.IntN(60), 1+random.IntN(23)), TimeZone: zone}
		since := time.Unix(1_600_000_000+random.Int64N(200_000_000), 0)
		now := since.Add(time.Duration(random.IntN(100*3600)) * time.Second)
		var want time.Time
		for at := since; ; {
			next, err := Next(schedule, "", at)
			if err != nil {
				t.Fatal(err)
			}
			if next.After(now) {
				break
			}
			want, at = next, next
		}
		got, found, err := Last(schedule, "", since, now)
		if err != nil {
			t.Fatal(err)
		}
		if found != !want.IsZero() || !got.Equal(want) {
			t.Errorf("%v from %s to %s: got %s, want %s", schedule, since.UTC(), now.UTC(), got, want.UTC())
		}
	}
}

func TestLastOfYearsIsOneTime(t *testing.T) {
	now := mustParse(t, "2026-06-01T12:34:56Z")
	got, found, err := Last(v1alpha1.Schedule{Cron: "* * * 1 *"}, "", time.Time{}, now)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if want := mustParse(t, "2026-01-31T23:59:00Z"); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, found, _ := Last(v1alpha1.Schedule{Cron: "0 0 * * *"}, "", now, now); found {
		t.Error("an empty span has a time")
	}
}

func TestHashIsStableSpreadAndInRange(t *testing.T) {
	tests := []struct {
		cron   string
		field  func(time.Time) int
		lo, hi int
		steps  int // times a day
	}{
		{"H 2 * * *", time.Time.Minute, 0, 59, 1},
		{"H(10-19) 2 * * *", time.Time.Minute, 10, 19, 1},
		{"5 H * * *", time.Time.Hour, 0, 23, 1},
		{"5 H(0-7) * * *", time.Time.Hour, 0, 7, 1},
		{"H/15 3 * * *", func(t time.Time) int { return t.Minute() % 15 }, 0, 14, 4},
		{"5 H/6 * * *", func(t time.Time) int { return t.Hour() % 6 }, 0, 5, 4},
	}
	day := mustParse(t, "2026-02-01T00:00:00Z").Add(-time.Second)
	for _, test := range tests {
		t.Run(test.cron, func(t *testing.T) {
			seen := map[int]bool{}
			for i := range 400 {
				seed, count := fmt.Sprintf("shop/staging/suite-%d", i), 0
				for at := day; ; count++ {
					next, err := Next(v1alpha1.Schedule{Cron: test.cron}, seed, at)
					if err != nil {
						t.Fatal(err)
					}
					again, _ := Next(v1alpha1.Schedule{Cron: test.cron}, seed, at)
					if !next.Equal(again) {
						t.Fatal("the same seed gives two times")
					}
					if next.After(day.Add(24 * time.Hour)) {
						break
					}
					value := test.field(next)
					if value < test.lo || value > test.hi {
						t.Fatalf("%d is not within %d-%d", value, test.lo, test.hi)
					}
					seen[value], at = true, next
				}
				if count != test.steps {
					t.Fatalf("%d times a day, want %d", count, test.steps)
				}
			}
			if want := test.hi - test.lo + 1; len(seen) < want*9/10 {
				t.Errorf("400 seeds hit %d of %d values", len(seen), want)
			}
		})
	}
}

func TestDueGivesEachSuiteOnce(t *testing.T) {
	suite := func(name string, suspend bool, crons ...string) Suite {
		s := Suite{TestSuite: v1alpha1.TestSuite{Spec: v1alpha1.TestSuiteSpec{Suspend: suspend, On: &v1alpha1.Triggers{}}}}
		s.Name = name
		for _, c := range crons {
			s.Spec.On.Schedule = append(s.Spec.On.Schedule, v1alpha1.Schedule{Cron: c, TimeZone: "UTC"})
		}
		return s
	}
	c := Catalog{Suites: []Suite{
		suite("both", false, "0 2 * * *", "0 3 * * *"),
		suite("later", false, "0 5 * * *"),
		suite("never", false),
		suite("resting", true, "0 2 * * *"),
	}}
	got, err := Due(c, "shop/staging", mustParse(t, "2026-01-01T12:00:00Z"), mustParse(t, "2026-01-04T04:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Scheduled{
		{"both", mustParse(t, "2026-01-04T03:00:00Z")},
		{"later", mustParse(t, "2026-01-03T05:00:00Z")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	next, err := NextDue(c, "shop/staging", mustParse(t, "2026-01-04T04:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if want := mustParse(t, "2026-01-04T05:00:00Z"); !next.Equal(want) {
		t.Errorf("the next time is %s, want %s", next, want)
	}
}

// TestHashOfMonthsFindsADay: a cron that is fit for one seed is fit for all.
func TestHashOfMonthsFindsADay(t *testing.T) {
	for cron, months := range map[string][]time.Month{
		"0 3 31 H *":        {1, 3, 5, 7, 8, 10, 12},
		"0 3 30 H *":        {1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		"0 3 29 H(1-3) *":   {1, 3}, // every year, not every fourth
		"0 3 29 H(2-2) *":   {2},
		"0 3 31 H(2-5) *":   {3, 5},
		"0 3 31 H(4-6)/3 *": {5},
		"0 3 31 H(2-2) 1":   {2}, // any Monday of it
		"0 3 H H *":         {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	} {
		seen := map[time.Month]bool{}
		for i := range 300 {
			next, err := Next(v1alpha1.Schedule{Cron: cron}, fmt.Sprint("seed", i), mustParse(t, "2026-01-01T00:00:00Z"))
			if err != nil || next.IsZero() {
				t.Fatalf("%q has no time: %s, %v", cron, next, err)
			}
			seen[next.Month()] = true
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, months) {
			t.Errorf("%q comes in the months %v, want %v", cron, got, months)
		}
	}
	for i := range 100 {
		if _, err := Next(v1alpha1.Schedule{Cron: "H/40 H/20 H/25 * *"}, fmt.Sprint("seed", i), time.Time{}); err != nil {
			t.Fatalf("long steps: %v", err)
		}
	}
	if _, err := Next(v1alpha1.Schedule{Cron: "0 3 31 H(4-4) *"}, "seed", time.Time{}); err == nil {
		t.Error("a date that never comes is accepted")
	}
}

func TestAScheduleThatCannotBeComputedStopsNoOther(t *testing.T) {
	c := Catalog{Suites: []Suite{scheduled("load", "0 12 * * *"), scheduled("odd", "0 3 31 2 *")}}
	noon := mustParse(t, "2026-03-02T12:00:05Z")
	due, err := Due(c, "shop/staging", noon.Add(-time.Hour), noon)
	if len(due) != 1 || due[0].Suite != "load" || err == nil || !strings.Contains(err.Error(), `spec.on.schedule: the suite "odd": "0 3 31 2 *" is no cron`) {
		t.Errorf("due is %v, and %v", due, err)
	}
	next, err := NextDue(c, "shop/staging", noon)
	if want := noon.Add(24*time.Hour - 5*time.Second); !next.Equal(want) || err == nil {
		t.Errorf("the next time is %s, and %v", next, err)
	}
}

func TestWhatWasScheduledBefore(t *testing.T) {
	berlin := scheduled("load", "0 12 * * *")
	berlin.Spec.On.Schedule[0].TimeZone = "Europe/Berlin"
	utc := scheduled("load", "0 12 * * *")
	utc.Spec.On.Schedule[0].TimeZone = "UTC"
	suspended := scheduled("load", "0 12 * * *")
	suspended.Spec.Suspend = true
	for _, test := range []struct {
		name          string
		before, after Suite
		known         int
	}{
		{"the same", scheduled("load", "0 12 * * *"), utc, 1},
		{"a new suite", scheduled("other", "0 12 * * *"), utc, 0},
		{"a new cron", scheduled("load", "0 13 * * *"), utc, 0},
		{"one more cron", scheduled("load", "0 12 * * *"), scheduled("load", "0 12 * * *", "0 18 * * *"), 1},
		{"a new time zone", berlin, utc, 0},
		{"a suspension that is lifted", suspended, utc, 0},
		{"a suspension", utc, suspended, 0},
		{"a suite without a schedule", scheduled("load"), utc, 0},
	} {
		before, after := Catalog{Suites: []Suite{test.before}}, Catalog{Suites: []Suite{test.after}}
		known := 0
		for _, suite := range ScheduledBefore(after, before).Suites {
			known += len(suite.Spec.On.Schedule)
		}
		if known != test.known {
			t.Errorf("%s: %d schedules were there before, want %d", test.name, known, test.known)
		}
		if same := Timetable(before) == Timetable(after); same != (test.name == "the same") {
			t.Errorf("%s: the timetables are %q and %q", test.name, Timetable(before), Timetable(after))
		}
	}
	if Timetable(Catalog{Suites: []Suite{suspended, scheduled("push")}}) != "" {
		t.Error("nothing is scheduled, and there is a timetable")
	}
}

func scheduled(name string, crons ...string) Suite {
	s := Suite{TestSuite: v1alpha1.TestSuite{Spec: v1alpha1.TestSuiteSpec{On: &v1alpha1.Triggers{}}}}
	s.Name = name
	for _, c := range crons {
		s.Spec.On.Schedule = append(s.Spec.On.Schedule, v1alpha1.Schedule{Cron: c})
	}
	return s
}

func FuzzCron(f *testing.F) {
	for _, cron := range []string{"H 2 * * *", "*/5 * * * 1-5", "H(0-9)/3 H/4 1,15 JAN-MAR SUN", "0 0 31 2 *", "* * * * * *", "59-1 22-2 * * FRI-MON"} {
		f.Add(cron, "Europe/Berlin", int64(1_774_746_000))
	}
	f.Fuzz(func(t *testing.T, cron, zone string, after int64) {
		if after < 0 || after > 4_000_000_000 || !slices.Contains(propertyZones, zone) {
			zone, after = "Europe/Berlin", after&0x7fffffff
		}
		at := time.Unix(after, 0)
		schedule := v1alpha1.Schedule{Cron: cron, TimeZone: zone}
		next, err := Next(schedule, "seed", at)
		if _, other := Next(schedule, "another", at); (err == nil) != (other == nil) {
			t.Fatalf("%q: one seed has %v, another %v", cron, err, other)
		}
		if err != nil {
			if fault.ReasonOf(err) != fault.InvalidCatalog {
				t.Errorf("not classified: %v", err)
			}
			return
		}
		if !next.After(at) {
			t.Fatalf("%q: %s does not come after %s", cron, next, at)
		}
		last, found, err := Last(schedule, "seed", at, next)
		if err != nil || !found || !last.Equal(next) {
			t.Errorf("%q: the last time up to %s is %s (%v, %v)", cron, next, last, found, err)
		}
	})
}

func mustLoad(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func mustParse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
