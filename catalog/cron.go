package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
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
	for i, field := range fields {
		expanded, err := expandHash(field, i, seed)
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

// hashTerm is H, H(a-b), H/n or H(a-b)/n.
var hashTerm = regexp.MustCompile(`^H(?:\((\d{1,2})-(\d{1,2})\))?(?:/(\d{1,2}))?$`)

// expandHash replaces each H of a field by a value that the seed picks, the same every time.
func expandHash(field string, index int, seed string) (string, error) {
	terms := strings.Split(field, ",")
	for i, term := range terms {
		if !strings.HasPrefix(term, "H") { // no month or weekday begins with it
			continue
		}
		m := hashTerm.FindStringSubmatch(term)
		if m == nil {
			return "", fmt.Errorf("%q is not H, H(a-b), H/n or H(a-b)/n", term)
		}
		lo, hi := cronFields[index].lo, cronFields[index].hi
		if m[1] != "" {
			from, _ := strconv.Atoi(m[1])
			to, _ := strconv.Atoi(m[2])
			if from > to || from < lo || to > hi {
				return "", fmt.Errorf("%q is not a range within %d-%d", term, lo, hi)
			}
			lo, hi = from, to
		}
		if m[3] == "" {
			terms[i] = strconv.Itoa(lo + pick(seed, index, hi-lo+1))
			continue
		}
		step, _ := strconv.Atoi(m[3])
		if step < 1 || step > hi-lo+1 {
			return "", fmt.Errorf("%q has a step that is not within 1-%d", term, hi-lo+1)
		}
		terms[i] = fmt.Sprintf("%d-%d/%d", lo+pick(seed, index, step), hi, step)
	}
	return strings.Join(terms, ","), nil
}

// pick gives a number below n that depends on seed and field alone.
func pick(seed string, field, n int) int {
	sum := sha256.Sum256([]byte(seed + "\x00" + cronFields[field].name))
	return int(binary.BigEndian.Uint64(sum[:]) % uint64(n))
}
