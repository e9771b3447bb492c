package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// tailBytes is more than an outcome keeps: secrets are masked before the rest is cut off, so
// that none is left half.
const tailBytes = 64 << 10

// tail keeps the end of what is written to it.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if over := len(t.data) - 2*tailBytes; over > 0 {
		t.data = append(t.data[:0], t.data[len(t.data)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	return string(t.data[max(0, len(t.data)-tailBytes):])
}

// spoolBytes is one more than a report may have, so that a longer one is noticed.
const spoolBytes = 64<<20 + 1

// spool keeps the beginning of the standard output in a file, as the report.
type spool struct {
	file *os.File
	left int
}

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "assay-report-*")
	if err != nil {
		return nil, fmt.Errorf("keeping the standard output: %w", err)
	}
	return &spool{file: file, left: spoolBytes}, nil
}

// Write never fails: a full disk must not end the command. The report is cut then, and says so.
func (s *spool) Write(p []byte) (int, error) {
	n, err := s.file.Write(p[:min(len(p), s.left)])
	s.left -= n
	if err != nil {
		s.left = 0
	}
	return len(p), nil
}

// reader gives what was kept, from its beginning.
func (s *spool) reader() (io.Reader, error) {
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

func (s *spool) remove() {
	if err := errors.Join(s.file.Close(), os.Remove(s.file.Name())); err != nil {
		fmt.Fprintln(os.Stderr, "assay-exec:", err)
	}
}
