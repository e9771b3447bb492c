package report

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

const (
	maxFiles      = 10_000
	maxFilesBytes = 4 // times Limits.Bytes: for all files together
)

// ParseFS reads every file that matches the pattern (as path.Match has it) and merges their reports in the order of
// their names. Cases without a suite get the file's base name for one when there are several files.
//
// Files that can't be used don't hide the others: the report holds what could be read, and the error joins an *Error for
// each of them, with File set. No match at all is ErrMissing. All files together may have four times Limits.Bytes.
func ParseFS(format Format, files fs.FS, pattern string, limits Limits) (Report, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return Report{}, &Error{Problem: ErrMissing, Format: format, File: pattern, Err: err,
			Remedy: "mend the pattern: path.Match of Go is what counts"}
	}
	if len(names) == 0 {
		return Report{}, &Error{Problem: ErrMissing, Format: format, File: pattern,
			Remedy: "let the command write its report there, or name the path that it writes"}
	}
	var reports []Report
	var faults []error
	limits = limits.withDefaults()
	left := maxFilesBytes * limits.Bytes
	for i, name := range names {
		one := limits
		one.Bytes = min(one.Bytes, left)
		if i >= maxFiles || left <= 0 {
			faults = append(faults, &Error{Problem: ErrTooLarge, Format: format, File: pattern,
				Detail: fmt.Sprintf("%d of %d files are over the limit", len(names)-i, len(names)),
				Remedy: "split the suite into shards, or match fewer files"})
			break
		}
		r, size, err := parseFile(format, files, name, one)
		if err != nil {
			faults = append(faults, named(err, format, name))
		}
		if len(names) > 1 {
			nameSuites(&r, path.Base(name))
		}
		left -= size
		reports = append(reports, r)
	}
	return Merge(reports...), errors.Join(faults...)
}

func parseFile(format Format, files fs.FS, name string, limits Limits) (r Report, size int64, err error) {
	f, err := files.Open(name)
	if err != nil {
		return Report{}, 0, &Error{Problem: ErrUnreadable, Format: format, Err: err}
	}
	defer func() { _ = f.Close() }() // only read
	counted := &counter{r: f}
	r, err = Parse(format, counted, limits)
	return r, counted.n, err
}

// counter counts what is read.
type counter struct {
	r fs.File
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func named(err error, format Format, name string) error {
	var e *Error
	if errors.As(err, &e) {
		e.File = name
		return e
	}
	return fmt.Errorf("report %q (%s): %w", name, format, err)
}

func nameSuites(r *Report, suite string) {
	for i := range r.Cases {
		if r.Cases[i].Suite == "" {
			r.Cases[i].Suite = suite
		}
	}
}
