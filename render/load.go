package render

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/assay-dev/assay/api/fault"
)

// loader reads files of the tree within the limits, and nothing through a symlink.
type loader struct {
	tree   fs.FS
	limits Limits
	files  map[string][]byte
	kinds  map[string]fs.FileMode
	total  int64
}

func newLoader(tree fs.FS, limits Limits) *loader {
	return &loader{tree: tree, limits: limits, files: map[string][]byte{}, kinds: map[string]fs.FileMode{}}
}

// maxPath is how long a path can be; no file system has longer ones.
const maxPath = 4096

// kind says whether the path is a folder (fs.ModeDir) or a file (0). Every folder on the way
// is looked at, from the top, so that no symlink is followed. Errors: fs.ErrNotExist, a fault
// SymlinkRefused, and what the tree itself gives.
func (l *loader) kind(name string) (fs.FileMode, error) {
	if len(name) > maxPath || !fs.ValidPath(name) {
		return 0, fs.ErrNotExist
	}
	for i, c := range name {
		if c != '/' {
			continue
		}
		if mode, err := l.kindHere(name[:i]); err != nil || !mode.IsDir() {
			return 0, cmp.Or(err, fs.ErrNotExist)
		}
	}
	return l.kindHere(name)
}

// kindHere is kind without a look at the folders on the way.
func (l *loader) kindHere(name string) (fs.FileMode, error) {
	if mode, known := l.kinds[name]; known {
		return mode, nil
	}
	info, err := fs.Lstat(l.tree, name)
	if err != nil {
		return 0, err
	}
	mode := info.Mode().Type()
	if mode != 0 && mode != fs.ModeDir {
		return 0, fault.New(fault.SymlinkRefused, fault.Place{File: name}, "commit the file itself", "%q is a symlink, a submodule or another special file, which is not followed", name)
	}
	l.kinds[name] = mode
	return mode, nil
}

// read gives the content of a file, which must be one.
func (l *loader) read(name string) ([]byte, error) {
	if data, known := l.files[name]; known {
		return data, nil
	}
	mode, err := l.kind(name)
	if err != nil {
		return nil, err
	}
	if mode.IsDir() {
		return nil, errIsFolder
	}
	if len(l.files) == l.limits.Files {
		return nil, l.exceeded(name, "more than %d files are reachable", l.limits.Files)
	}
	data, err := l.readBounded(name)
	if err != nil {
		return nil, err
	}
	if l.total += int64(len(data)); l.total > l.limits.TotalBytes {
		return nil, l.exceeded(name, "the files that are reachable have more than %d bytes together", l.limits.TotalBytes)
	}
	l.files[name] = data
	return data, nil
}

var errIsFolder = errors.New("it is a folder")

func (l *loader) readBounded(name string) ([]byte, error) {
	file, err := l.tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // read only: nothing can be lost
	data, err := io.ReadAll(io.LimitReader(file, l.limits.FileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	if int64(len(data)) > l.limits.FileBytes {
		return nil, l.exceeded(name, "the file has more than %d bytes", l.limits.FileBytes)
	}
	return data, nil
}

func (l *loader) exceeded(name, format string, args ...any) error {
	return fault.New(fault.LimitExceeded, fault.Place{File: name}, "make it smaller, or keep data for tests out of what rendering reads", format, args...)
}
