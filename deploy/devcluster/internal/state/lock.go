package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Lock serialises commands on one thing, for example a cluster's name, between processes. Free it by calling the result.
// The file goes away with the lock, and so do its folders when nothing else is in them: a machine without clusters has
// nothing of devcluster left.
func (f Folders) Lock(name string) (unlock func(), err error) {
	path := filepath.Join(f.State, ".locks", name)
	for {
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if removedMeanwhile(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if removedMeanwhile(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if current(file, path) {
			return func() {
				for _, gone := range []string{path, filepath.Dir(path), f.State} {
					_ = os.Remove(gone) // folders only when empty
				}
				file.Close()
			}, nil
		}
		file.Close() // the previous holder removed the file that we waited for
	}
}

// current says that an open file is still the one at path.
func current(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// removedMeanwhile says that the previous holder removed a folder while it was being made or used.
func removedMeanwhile(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)
}
