package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"
)

// cronYears is how far a time may be away: 29 February can be eight years off.
const cronYears = 8

// cronParser knows the five fields of crontab(5) and nothing else. As there, a day counts when
// either day of month or day of week names it, if both are restricted.
var cronParser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom).WithMaxSearchYears(cronYears)

// cronFields are the five fields with the range over which H spreads. Days of the month end
// at 28, which every month has.
var cronFields = [5]struct {
	name   string
	lo, hi int
}{{"minute", 0, 59}, {"hour", 0, 23}, {"day of month", 1, 28}, {"month", 1, 12}, {"day of week", 0, 6}}

// cronText is all that a cron may hold; the library would also take TZ= and descriptors.
var cronText = regexp.MustCompile(`^[0-9A-Za-z*,/() \t-]+$`)

// parseCron gives the wall clock times that a cron names: the library computes them in UTC,
// where no hour is skipped or repeated, and [wallClock] maps them to a zone.
func parseCron(text, seed string) (*cron.SpecSchedule, error) {
	if !cronText.MatchString(text) {
		return nil, errors.New("a character has no meaning here")
	}
	fields := strings.Fields(text)
	if len(fields) != len(cronFields) {
		return nil, fmt.Errorf("it has %d fields, not five", len(fields))
	}
	for _, i := range expansion {
		expanded, err := expandHash(fields, i, seed)
		if err != nil {
			return nil, fmt.Errorf("the %s: %w", cronFields[i].name, err)
		}
		fields[i] = expanded
	}
	parsed, err := cronParser.Parse(strings.Join(fields, " "))
	if err != nil {
		return nil, err
	}
	schedule, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New("it is not made of five fields")
	}
	schedule.Location = time.UTC
	// Any date does: the search covers every combination of date and weekday that matters.
	if schedule.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("such a date never comes")
	}
	return schedule, nil
}

// expansion is the order in which fields get the values of their H. The month is the last: which
// of them will do depends on the days.
var expansion = [...]int{0, 1, 2, 4, monthField}

const monthField = 3

// hashTerm is H, H(a-b), H/n or H(a-b)/n.
var hashTerm = regexp.MustCompile(`^H(?:\((\d{1,2})-(\d{1,2})\))?(?:/(\d{1,2}))?$`)

// expandHash replaces each H of a field by a value that the seed picks, the same every time.
func expandHash(fields []string, index int, seed string) (string, error) {
	terms := strings.Split(fields[index], ",")
	for i, term := range terms {
		if !strings.HasPrefix(term, "H") { // no month or weekday begins with it
			continue
		}
		choices, err := hashChoices(term, index)
		if err != nil {
			return "", err
		}
		if index == monthField {
			choices = comingMonths(fields, choices)
		}
		terms[i] = choices[pick(seed, index, len(choices))]
	}
	return strings.Join(terms, ","), nil
}

// hashChoices are what H, H(a-b), H/n or H(a-b)/n may stand for; there is at least one.
func hashChoices(term string, index int) ([]string, error) {
	m := hashTerm.FindStringSubmatch(term)
	if m == nil {
		return nil, fmt.Errorf("%q is not H, H(a-b), H/n or H(a-b)/n", term)
	}
	lo, hi := cronFields[index].lo, cronFields[index].hi
	if m[1] != "" {
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		if from > to || from < lo || to > hi {
			return nil, fmt.Errorf("%q is not a range within %d-%d", term, lo, hi)
		}
		lo, hi = from, to
	}
	var choices []string
	if m[3] == "" {
		for value := lo; value <= hi; value++ {
			choices = append(choices, strconv.Itoa(value))
		}
		return choices, nil
	}
	step, _ := strconv.Atoi(m[3])
	if step < 1 || step > hi-lo+1 {
		return nil, fmt.Errorf("%q has a step that is not within 1-%d", term, hi-lo+1)
	}
	for first := lo; first < lo+step; first++ {
		// As a list: the library refuses ranges like 30-59/40, which some seeds would pick and others not.
		values := []string{strconv.Itoa(first)}
		for value := first + step; value <= hi; value += step {
			values = append(values, strconv.Itoa(value))
		}
		choices = append(choices, strings.Join(values, ","))
	}
	return choices, nil
}

// comingMonths leaves out the months without such a day, as February is for the 30th: a team that
// writes "0 3 31 H *" wants a time, whatever H comes to. Where no month has one in a common year,
// all are left, and [parseCron] says whether such a date ever comes.
func comingMonths(fields, months []string) []string {
	var coming []string
	for _, month := range months {
		with := slices.Clone(fields)
		with[monthField] = month
		parsed, err := cronParser.Parse("TZ=UTC " + strings.Join(with, " "))
		if err == nil && parsed.Next(time.Date(2001, 1, 1, 0, 0, 0, -1, time.UTC)).Year() == 2001 {
			coming = append(coming, month)
		}
	}
	if len(coming) == 0 {
		return months
	}
	return coming
}

// pick gives a number below n that depends on seed and field alone.
func pick(seed string, field, n int) int {
	sum := sha256.Sum256([]byte(seed + "\x00" + cronFields[field].name))
	return int(binary.BigEndian.Uint64(sum[:]) % uint64(n))
}
