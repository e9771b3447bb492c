package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/assay-dev/assay/runner/report"
)

// spoolBytes of standard output are kept for the parser, one more than it reads, so that it notices.
const spoolBytes = 64<<20 + 1

// reader finds and reads the report that a command leaves behind.
type reader struct {
	format    report.Format
	pattern   string
	files     reportFiles
	workspace string
	elsewhere candidates
	spool     *spool // when the report is the standard output
}

// newReader is called before the command runs: what is there by then is content, not a report.
func newReader(c config) (*reader, error) {
	r := &reader{format: c.format, pattern: c.reportPath, workspace: c.workspace}
	if !r.promised() {
		return r, nil
	}
	if c.reportPath == "-" {
		s, err := newSpool(value(c.environment, "TMPDIR"))
		r.spool = s
		return r, err
	}
	root, pattern, err := reportRoot(c)
	if err != nil {
		return r, err
	}
	r.pattern = pattern
	work := filepath.Join(c.workspace, filepath.FromSlash(c.workingDir))
	r.elsewhere = newCandidates(c.format, work, firstOf(value(c.environment, "TMPDIR"), "/tmp"))
	r.files = reportFiles{root: root}
	r.files.before = r.files.marks(pattern)
	return r, nil
}

func (r *reader) promised() bool { return r.format != "" }

// stdout is where a copy of the standard output goes; nil when nobody wants one.
func (r *reader) stdout() io.Writer {
	if r.spool == nil {
		return nil
	}
	return r.spool
}

func (r *reader) read() (report.Report, error) {
	if r.spool == nil {
		parsed, err := report.ParseFS(r.format, r.files, r.pattern, report.Limits{})
		return parsed, r.withElsewhere(err)
	}
	if _, err := r.spool.file.Seek(0, io.SeekStart); err != nil {
		return report.Report{}, err
	}
	parsed, err := report.Parse(r.format, r.spool.file, report.Limits{})
	if one, only := err.(*report.Error); only {
		one.File = "standard output"
	}
	return parsed, err
}

// withElsewhere adds to the error on a report that is missing which files it may be.
func (r *reader) withElsewhere(err error) error {
	missing, only := err.(*report.Error)
	if !only || missing.Problem != report.ErrMissing || missing.Err != nil {
		return err
	}
	found := r.elsewhere.written()
	if len(found) == 0 {
		return err
	}
	for i, file := range found {
		found[i] = strings.TrimPrefix(file, r.workspace+string(os.PathSeparator))
	}
	missing.Detail = "found " + strings.Join(found, ", ")
	missing.Remedy = "name it in spec.report.path (from spec.workingDir), or let the command write it where it is looked for"
	return missing
}

func (r *reader) close() {
	if r.spool != nil {
		_ = r.spool.file.Close()
	}
}

// reportRoot splits the path of a report into an existing folder and a pattern below it.
func reportRoot(c config) (root, pattern string, err error) {
	p := path.Clean(filepath.ToSlash(c.reportPath))
	if path.IsAbs(p) {
		for _, root := range []string{"/tmp", c.workspace} {
			if below, ok := strings.CutPrefix(p, root+"/"); ok {
				return root, below, nil
			}
		}
		return "", "", fmt.Errorf("the report path %q is neither below /tmp nor below %s", c.reportPath, c.workspace)
	}
	if p = path.Join(path.Clean(c.workingDir), p); p == ".." || strings.HasPrefix(p, "../") {
		return "", "", fmt.Errorf("the report path %q leads out of the workspace", c.reportPath)
	}
	return c.workspace, p, nil
}

// reportFiles is the file system that a report is looked for in: doublestar globs, regular files only, and none that is
// as it was before the command.
type reportFiles struct {
	root   string
	before map[string]mark
}

type mark struct {
	size    int64
	changed time.Time
}

func (f reportFiles) marks(pattern string) map[string]mark {
	marks := map[string]mark{}
	names, err := f.glob(pattern)
	if err != nil {
		return marks // read says so
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(f.root, name)); err == nil {
			marks[name] = mark{info.Size(), info.ModTime()}
		}
	}
	return marks
}

func (f reportFiles) glob(pattern string) ([]string, error) {
	return doublestar.Glob(os.DirFS(f.root), pattern, doublestar.WithFilesOnly(), doublestar.WithNoFollow())
}

// Glob implements fs.GlobFS.
func (f reportFiles) Glob(pattern string) ([]string, error) {
	names, err := f.glob(pattern)
	if err != nil {
		return nil, err
	}
	now := f.marks(pattern)
	var written []string
	for _, name := range names {
		if old, there := f.before[name]; !there || old != now[name] {
			written = append(written, name)
		}
	}
	return written, nil
}

// Open implements fs.FS. It does not wait for the other end of a named pipe, and follows no link that leads out of the
// folder: what stands elsewhere, such as the gateway's token, is no report.
func (f reportFiles) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // what was opened stays open
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		_ = file.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return file, nil
}

// spool keeps the start of a stream in a file without a name.
type spool struct {
	file *os.File
	left int64
}

func newSpool(folder string) (*spool, error) {
	f, err := os.CreateTemp(folder, "assay-stdout-")
	if err != nil {
		return nil, fmt.Errorf("the standard output cannot be kept for the report: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{file: f, left: spoolBytes}, nil
}

// Write drops what is over the bound, and everything after a failure.
func (s *spool) Write(p []byte) (int, error) {
	n := min(int64(len(p)), s.left)
	written, err := s.file.Write(p[:n])
	s.left -= int64(written)
	if err != nil {
		s.left = 0
	}
	return len(p), nil
}
