package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxDuration is what a case's time is cut to; beyond it a number is certainly no duration.
const maxDuration = 365 * 24 * time.Hour

// parseSeconds reads a time as tools write it: seconds with thousands separators or a decimal comma, in other digits
// than ours, or with a unit ("12ms"). What is no time, or below zero, is 0.
func parseSeconds(s string) time.Duration {
	if s == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return seconds2Duration(seconds)
	}
	s = strings.Map(plainDigit, strings.TrimSpace(s))
	if d, err := time.ParseDuration(s); err == nil {
		return clampDuration(d)
	}
	if i := strings.LastIndexAny(s, ".,"); i >= 0 {
		whole, part := s[:i], s[i+1:]
		switch sep := s[i : i+1]; {
		case sep == "," && strings.Contains(whole, ","): // 1,234,567
			s = strings.ReplaceAll(s, ",", "")
		default: // the last separator is the decimal one: 1,234.5 and 1.234,5 and 0,5
			s = strings.ReplaceAll(strings.ReplaceAll(whole, ",", ""), ".", "") + "." + part
		}
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return seconds2Duration(seconds)
}

func seconds2Duration(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	if seconds >= maxDuration.Seconds() {
		return maxDuration
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

func clampDuration(d time.Duration) time.Duration {
	return max(0, min(d, maxDuration))
}

// plainDigit maps the digits and separators of other locales to ASCII and drops what only groups digits.
func plainDigit(r rune) rune {
	for _, zero := range []rune{'٠', '۰', '०', '０'} {
		if r >= zero && r <= zero+9 {
			return '0' + r - zero
		}
	}
	switch r {
	case '٫':
		return '.'
	case '٬':
		return ','
	case ' ', '_', '\'', '’', '\u00a0', '\u202f':
		return -1
	}
	return r
}

// parseCount reads a counter attribute; what is no number is 0.
func parseCount(s string) int {
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(s), ",", ""))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, math.MaxInt32)
}
