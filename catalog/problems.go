package catalog

import (
	"errors"
	"strings"

	"github.com/assay-dev/assay/api/fault"
)

// problems gathers what is wrong with one document, so that a team sees everything at once.
type problems struct {
	// file and suite say where; suite is only named when lines are not known.
	file, suite string
	// lines of the fields, empty for rendered objects: no file holds them as they are.
	lines map[string]int
	found []error
}

// maxProblems bounds what one document can make us say.
const maxProblems = 50

// add notes a problem of a field, such as "spec.env[0].name".
func (p *problems) add(field, remedy, format string, args ...any) {
	p.addAt(p.line(field), field, remedy, format, args...)
}

func (p *problems) addAt(line int, field, remedy, format string, args ...any) {
	if len(p.found) == maxProblems {
		p.found = append(p.found, fault.New(fault.InvalidCatalog, fault.Place{File: p.file}, "mend those first", "more than %d problems", maxProblems))
	}
	if len(p.found) > maxProblems {
		return
	}
	place := fault.Place{File: p.file, Line: line, Field: field}
	if p.suite != "" {
		format, args = "suite %q: "+format, append([]any{p.suite}, args...)
	}
	p.found = append(p.found, fault.New(fault.InvalidCatalog, place, remedy, format, args...))
}

// line gives the line of the field, or of the nearest one that holds it.
func (p *problems) line(field string) int {
	for field != "" {
		if line, ok := p.lines[field]; ok {
			return line
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return p.lines[""]
}

func (p *problems) err() error { return errors.Join(p.found...) }
