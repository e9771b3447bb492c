package report

import (
	"strings"
)

// tapYAML is an open YAML block behind a test line. Producers write it by hand as often as not, so it is read as
// lines, not as YAML: for a failed test all of it
// becomes the details; the message and the duration become fields. The place
// does not: tools tell it for failures only, and File is part of what identifies a case.
type tapYAML struct {
	test   *tapTest
	indent int
	key    string // last key at the block's own indent
	scalar bool   // its value is the lines below it
}

// openYAML starts a block if a test line precedes it.
func (p *tapParser) openYAML(indent int) bool {
	t := p.top().last
	if t == nil || indent <= 4*(len(p.levels)-1) {
		return false
	}
	p.yaml = &tapYAML{test: t, indent: indent}
	return true
}

// inYAML takes the line if a block is open. A line further left ends a block that has no "..." of its own.
func (p *tapParser) inYAML(raw string) bool {
	y := p.yaml
	if y == nil {
		return false
	}
	rest := strings.TrimLeft(raw, " ")
	indent := len(raw) - len(rest)
	switch {
	case rest != "" && indent < y.indent:
		p.yaml = nil
		return false
	case indent == y.indent && strings.TrimSpace(rest) == "...":
		p.yaml = nil
		return true
	}
	if y.test.one.Status.Bad() {
		y.test.details.write(raw[min(y.indent, indent):] + "\n")
	}
	if indent == y.indent {
		y.readKey(rest, p.limits.Message)
	} else {
		y.readNested(rest, p.limits.Message)
	}
	return true
}

func (y *tapYAML) readKey(s string, limit int) {
	key, value, ok := strings.Cut(s, ":")
	if !ok {
		return
	}
	value = unquoteYAML(value)
	y.key = strings.TrimSpace(key)
	y.scalar = value == "" || value[0] == '|' || value[0] == '>'
	if y.scalar {
		return
	}
	y.set(y.key, value, limit)
}

func (y *tapYAML) readNested(s string, limit int) {
	one := &y.test.one
	if y.scalar && (y.key == "message" || y.key == "error") && one.Status.Bad() && len(one.Message) < limit {
		one.Message += cutHead(s, limit) + "\n"
	}
}

func (y *tapYAML) set(key, value string, limit int) {
	one := &y.test.one
	switch key {
	case "message", "error":
		if one.Status.Bad() && one.Message == "" {
			one.Message = cutHead(value, 2*limit)
		}
	case "duration_ms":
		one.Duration = parseSeconds(value + "ms")
	}
}

func unquoteYAML(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
