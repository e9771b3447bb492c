package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type tapKind int

const (
	tapOther tapKind = iota
	tapVersion
	tapPlan
	tapPoint
	tapComment
	tapSubtest
	tapBail
	tapPragma
	tapYAMLStart
	tapBrace
)

// tapLine is one line of TAP, read without its surroundings.
type tapLine struct {
	kind     tapKind
	indent   int
	text     string // of a comment; the reason of a directive, plan or bail-out
	name     string // of a test; may be empty
	number   int    // of a test (0 for none) or of the tests planned
	status   Status // of a test
	duration time.Duration
	block    bool // the test's subtests follow in braces
}

var (
	tapPlanLine = regexp.MustCompile(`^(\d+)\.\.(\d+)\s*(?:#\s*(?i:skip(?:ped)?\S*)?\s*(.*))?$`)
	tapTestLine = regexp.MustCompile(`^(not )?ok(?:\s+(\d+)\b)?(?:\s+|$)(?:-\s+|-$)?(.*)$`)
	tapToDo     = regexp.MustCompile(`(?i)^#\s*(skip(?:ped)?|todo)(?:\b[:\s-]*(.*))?$`)
	tapTime     = regexp.MustCompile(`^#\s*time=([0-9.]+)(ms|s)\b`)
	tapNameTime = regexp.MustCompile(`^(.+) in (\d{1,9})ms$`)
)

func readTAPLine(raw string) tapLine {
	rest := strings.TrimLeft(raw, " ")
	l := tapLine{indent: len(raw) - len(rest)}
	rest = strings.TrimRight(rest, " \t")
	switch {
	case rest == "---":
		l.kind = tapYAMLStart
	case rest == "}":
		l.kind = tapBrace
	case strings.HasPrefix(rest, "# Subtest"):
		l.kind = tapSubtest
		l.text = strings.TrimSpace(strings.TrimLeft(strings.TrimPrefix(rest, "# Subtest"), ":"))
	case strings.HasPrefix(rest, "#"):
		l.kind, l.text = tapComment, strings.TrimPrefix(strings.TrimPrefix(rest, "#"), " ")
	case strings.HasPrefix(rest, "ok"), strings.HasPrefix(rest, "not ok"):
		l.readTest(rest)
	case rest != "" && rest[0] >= '0' && rest[0] <= '9':
		l.readPlan(rest)
	case hasPrefixFold(rest, "TAP version "):
		l.kind = tapVersion
	case hasPrefixFold(rest, "Bail out!"):
		l.kind, l.text = tapBail, strings.TrimSpace(rest[len("Bail out!"):])
	case strings.HasPrefix(rest, "pragma +"), strings.HasPrefix(rest, "pragma -"):
		l.kind = tapPragma
	}
	return l
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func (l *tapLine) readPlan(rest string) {
	m := tapPlanLine.FindStringSubmatch(rest)
	if m == nil {
		return
	}
	first, last := saturated(m[1]), saturated(m[2])
	l.kind, l.number, l.text = tapPlan, max(0, last-max(first, 1)+1), m[3]
}

func saturated(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n > math.MaxInt32 {
		return math.MaxInt32
	}
	return n
}

func (l *tapLine) readTest(rest string) {
	m := tapTestLine.FindStringSubmatch(rest)
	if m == nil {
		return
	}
	l.kind, l.status = tapPoint, Passed
	if m[1] != "" {
		l.status = Failed
	}
	if m[2] != "" {
		l.number = saturated(m[2])
	}
	name, isBlock := strings.CutSuffix(m[3], "{")
	l.block = isBlock && (name == "" || strings.HasSuffix(name, " "))
	if l.block {
		m[3] = strings.TrimRight(name, " ")
	}
	l.readDirective(m[3])
}

// readDirective splits a description at the first directive; a # that starts none belongs to the description.
func (l *tapLine) readDirective(description string) {
	l.name = unescapeTAP(description)
	for i := 0; i < len(description); i++ {
		switch {
		case description[i] == '\\':
			i++
		case description[i] != '#', i > 0 && description[i-1] != ' ' && description[i-1] != '\t':
		case l.directive(description[i:]):
			l.name = unescapeTAP(strings.TrimRight(description[:i], " \t"))
			return
		}
	}
}

func (l *tapLine) directive(s string) bool {
	if m := tapTime.FindStringSubmatch(s); m != nil {
		l.duration = parseSeconds(m[1] + m[2])
		return true
	}
	m := tapToDo.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	reason := strings.TrimSpace(m[2])
	switch {
	case !strings.EqualFold(m[1], "todo"):
		l.status, l.text = Skipped, reason
	case l.status == Failed:
		l.status, l.text = Skipped, strings.TrimSpace("TODO "+reason)
	}
	return true
}

var tapEscapes = strings.NewReplacer(`\\`, `\`, `\#`, `#`)

func unescapeTAP(s string) string { return strings.TrimSpace(tapEscapes.Replace(s)) }

// cutTime splits "NAME in 12ms".
func cutTime(name string) (string, time.Duration, bool) {
	m := tapNameTime.FindStringSubmatch(name)
	if m == nil {
		return name, 0, false
	}
	return m[1], clampDuration(time.Duration(saturated(m[2])) * time.Millisecond), true
}
