// Package fault is the vocabulary of errors: whose fault something is, where it
// happened, and what to do about it.
//
// Hands classify what the world throws at them, once, where they are handed it; brains
// return faults for input that is wrong. Reconcilers turn a fault into a condition with
// [Condition], and nobody compares texts: callers use errors.As through [Of], [ReasonOf]
// and [RetryAfter]. The package knows nothing of Git, kustomize, pods or forges.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says whose fault an error is, which decides what happens next.
type Kind string

// The kinds of error.
const (
	// User is for input somebody has to change: a suite, an object, a credential.
	// Trying again without a change is pointless.
	User Kind = "User"
	// Transient is for what may pass by itself: a host that does not answer, a rate limit.
	Transient Kind = "Transient"
	// Internal is for our own bugs, and everything that was not classified.
	Internal Kind = "Internal"
)

// Place says where the cause of a fault is. Empty fields are unknown or do not apply.
type Place struct {
	// Repository is the URL without credentials, or the namespace/name of the object.
	Repository string
	// Commit is a full commit hash.
	Commit string
	// File is a path inside the repository, with forward slashes.
	File string
	// Line is 1 for the first line, 0 when unknown.
	Line int
	// Field is a path such as spec.timeout.
	Field string
}

// String renders the place in the form compilers use, such as
// "tests/a.yaml:3: spec.timeout", with repository and commit in front when they are known.
func (p Place) String() string {
	var parts []string
	if p.Repository != "" {
		parts = append(parts, p.Repository)
	}
	if p.Commit != "" {
		parts = append(parts, "commit "+p.Commit[:min(len(p.Commit), 12)])
	}
	switch {
	case p.File != "" && p.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d", p.File, p.Line))
	case p.File != "":
		parts = append(parts, p.File)
	}
	if p.Field != "" {
		parts = append(parts, p.Field)
	}
	return strings.Join(parts, ": ")
}

// Fault is a classified error. It is immutable once returned.
type Fault struct {
	// Reason is one of the reasons of this package; its row in the table gives the kind.
	Reason Reason
	// Place is where the cause is.
	Place Place
	// Message says what was wrong, naming the input; one line, no full stop.
	Message string
	// Remedy says what to do about it; one line, may be empty.
	Remedy string
	// After is how long to wait before trying again; 0 leaves it to the caller's back-off.
	After time.Duration
	// Err is the cause, may be nil.
	Err error
}

// New returns a fault of the reason at the place. remedy may be empty.
func New(reason Reason, place Place, remedy, format string, args ...any) *Fault {
	err := fmt.Errorf(format, args...)
	// What others say of hostile input may hold some of it.
	message := strings.ToValidUTF8(err.Error(), "\uFFFD")
	return &Fault{Reason: reason, Place: place, Message: message, Remedy: remedy, Err: errors.Unwrap(err)}
}

// Error gives place, message and remedy as one line.
func (f *Fault) Error() string {
	var b strings.Builder
	if place := f.Place.String(); place != "" {
		b.WriteString(place + ": ")
	}
	b.WriteString(f.Message)
	if f.Remedy != "" {
		b.WriteString(" (" + f.Remedy + ")")
	}
	return oneLine(b.String())
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Kind gives the kind of the fault's reason.
func (f *Fault) Kind() Kind { return f.Reason.Kind() }

// Of gives the kind of err: Internal when nobody classified it, and for joined errors the
// kind of the first fault. It must not be called with nil.
func Of(err error) Kind { return ReasonOf(err).Kind() }

// ReasonOf gives the reason of err: InternalError when nobody classified it.
func ReasonOf(err error) Reason {
	var f *Fault
	if errors.As(err, &f) {
		return f.Reason
	}
	return InternalError
}

// RetryAfter gives how long to wait before trying again, 0 when err does not say.
func RetryAfter(err error) time.Duration {
	var f *Fault
	if errors.As(err, &f) {
		return f.After
	}
	return 0
}

// All gives every fault in err: the branches of joined errors in their order, and an
// unclassified error as one InternalError.
func All(err error) []*Fault {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Fault
		for _, e := range joined.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	}
	var f *Fault
	if errors.As(err, &f) {
		return []*Fault{f}
	}
	return []*Fault{{Reason: InternalError, Message: err.Error(), Err: err}}
}

// At fills in what is still unknown of the place of every fault in err. A function that
// was given a repository, commit or file calls it once on the errors of what it calls.
func At(err error, place Place) error {
	if err == nil {
		return nil
	}
	all := All(err)
	placed := make([]error, len(all))
	for i, f := range all {
		c := *f
		c.Place = c.Place.within(place)
		placed[i] = &c
	}
	if len(placed) == 1 {
		return placed[0]
	}
	return errors.Join(placed...)
}

// Here leaves repository and commit out of the place of every fault in err, for where both
// are plain already: on a run, or at the commit itself.
func Here(err error) error {
	all := All(err)
	here := make([]error, len(all))
	for i, f := range all {
		c := *f
		c.Place.Repository, c.Place.Commit = "", ""
		here[i] = &c
	}
	return errors.Join(here...)
}

func (p Place) within(outer Place) Place {
	if p.Repository == "" {
		p.Repository = outer.Repository
	}
	if p.Commit == "" {
		p.Commit = outer.Commit
	}
	if p.File == "" {
		p.File, p.Line = outer.File, max(p.Line, outer.Line)
	}
	if p.Field == "" {
		p.Field = outer.Field
	}
	return p
}

// Summary gives err as one line for a condition or a status: at most three faults and the
// count of those left out.
func Summary(err error) string {
	const shown = 3
	all := All(err)
	var lines []string
	for _, f := range all[:min(len(all), shown)] {
		lines = append(lines, f.Error())
	}
	if n := len(all) - shown; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(lines, "; ")
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}
