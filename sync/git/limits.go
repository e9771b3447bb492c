package git

import (
	"fmt"
	"io"
)

// Limits bounds what a repository may cost. A zero field means its default; exceeding one is
// a LimitExceeded fault that names the limit and, where there is one, the file.
type Limits struct {
	// Refs is how many refs a host may list: of those asked for, or in protocol version 0 of
	// all. 100,000 by default.
	Refs int
	// PackBytes bounds a pack as it is sent, and what is kept of it in memory when inflated,
	// 256 MiB by default.
	PackBytes int64
	// Files is how many files and folders a tree may hold below the path read, 10,000 by default.
	Files int
	// FileBytes bounds one file, 8 MiB by default.
	FileBytes int64
	// TotalBytes bounds all files of a tree together, 64 MiB by default.
	TotalBytes int64
	// Depth is how many folders deep a file may lie below the root, 32 by default.
	Depth int
	// Commits is how many commits may be looked at to find a merge base, 20,000 by default.
	Commits int
}

func (l Limits) withDefaults() Limits {
	l.Refs = orDefault(l.Refs, 100_000)
	l.PackBytes = orDefault(l.PackBytes, 256<<20)
	l.Files = orDefault(l.Files, 10_000)
	l.FileBytes = orDefault(l.FileBytes, 8<<20)
	l.TotalBytes = orDefault(l.TotalBytes, 64<<20)
	l.Depth = orDefault(l.Depth, 32)
	l.Commits = orDefault(l.Commits, 20_000)
	return l
}

func orDefault[N int | int64](n, fallback N) N {
	if n > 0 {
		return n
	}
	return fallback
}

// limitError is a limit that was hit, before the place is known.
type limitError struct {
	what  string
	limit int64
}

func (e limitError) Error() string { return fmt.Sprintf("more than %d %s", e.limit, e.what) }

// limitReader gives the first n bytes of r and then the error, unless r ends there.
func limitReader(r io.Reader, n int64, err error) io.Reader {
	return &limitedReader{r: r, left: n, err: err}
}

type limitedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.err
	}
	// One byte more than is left tells the end of r from the end of the limit.
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n - 1, l.err
	}
	return n, err
}
