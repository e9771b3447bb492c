package report

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// source reads at most left bytes of a file, then gives io.EOF to the parser and remembers why.
type source struct {
	r        io.Reader
	left     int64
	tooLarge bool
	failed   error
	written  bool // a byte other than white space and byte order marks was read
}

func (s *source) Read(p []byte) (int, error) {
	if s.left <= 0 {
		s.probe()
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if !s.written {
		s.written = !blank(p[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
		return n, io.EOF
	}
	return n, err
}

// blank goes byte by byte: where a read ends must not matter, and a byte order mark has several.
func blank(p []byte) bool {
	for _, c := range p {
		if strings.IndexByte(" \t\r\n\x00\xef\xbb\xbf\xfe\xff", c) < 0 {
			return false
		}
	}
	return true
}

// probe tells a file of exactly the limit from a larger one.
func (s *source) probe() {
	if s.tooLarge || s.failed != nil {
		return
	}
	n, err := io.ReadFull(s.r, make([]byte, 1))
	s.tooLarge = n > 0
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
}

// maxLine bounds a line in memory; what is longer loses its rest.
const maxLine = 1 << 20

// lines gives a file line by line.
type lines struct {
	in     *bufio.Reader
	number int // of the line last read, from 1
	buf    []byte
}

func newLines(r io.Reader) *lines {
	in := bufio.NewReaderSize(r, 64<<10)
	if head, _ := in.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	return &lines{in: in}
}

// next gives the next line without its end, valid until the next call; cut says that it was over maxLine.
func (l *lines) next() (line []byte, cut, ok bool) {
	l.buf = l.buf[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		room := maxLine - len(l.buf)
		cut = cut || len(part) > room
		whole := errors.Is(err, io.EOF) || err == nil
		if whole && len(l.buf) == 0 && !cut { // the usual case needs no copy
			line = part
		} else {
			l.buf = append(l.buf, part[:min(len(part), room)]...)
			line = l.buf
		}
		if !whole {
			continue
		}
		if err != nil && len(line) == 0 {
			return nil, false, false
		}
		l.number++
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), cut, true
	}
}
