package catalog

import (
	"errors"
	"slices"

	"github.com/assay-dev/assay/api/fault"
)

// problems gathers what is wrong with one document, so that a team sees everything at once.
type problems struct {
	// file and suite say where; suite is only named when lines are not known.
	file, suite string
	// doc has the lines of the fields, none for rendered objects: no file holds them as
	// they are.
	doc   Document
	found []error
}

// maxProblems bounds what one document can make us say.
const maxProblems = 50

// add notes a problem of a field, such as "spec.env[0].name".
func (p *problems) add(field, remedy, format string, args ...any) {
	if len(p.found) == maxProblems {
		p.found = append(p.found, fault.New(fault.InvalidCatalog, fault.Place{File: p.file}, "mend those first", "more than %d problems", maxProblems))
	}
	if len(p.found) > maxProblems {
		return
	}
	place := fault.Place{File: p.file, Line: p.doc.Line(field), Field: shortField(field)}
	if p.suite != "" {
		format, args = "suite %q: "+format, append([]any{shortField(p.suite)}, args...)
	}
	p.found = append(p.found, fault.New(fault.InvalidCatalog, place, remedy, format, args...))
}

// err joins what was found, in the order of the lines.
func (p *problems) err() error {
	slices.SortStableFunc(p.found, func(a, b error) int { return lineOf(a) - lineOf(b) })
	return errors.Join(p.found...)
}

func lineOf(err error) int { return fault.All(err)[0].Place.Line }
