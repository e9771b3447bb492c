package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// install copies the running program into the folder, under its own name, so that it is there whole or not at all.
func install(folder string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(own)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(folder, ".install-")
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Chmod(0o755), to.Close()); err != nil {
		return fmt.Errorf("copying to %q: %w", folder, errors.Join(err, os.Remove(to.Name())))
	}
	return os.Rename(to.Name(), filepath.Join(folder, filepath.Base(own)))
}
