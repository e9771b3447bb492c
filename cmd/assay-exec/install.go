package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// install copies the program into a folder.
func install(dir string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the program: %w", err)
	}
	from, err := os.Open(self)
	if err != nil {
		return fmt.Errorf("reading the program: %w", err)
	}
	defer func() { _ = from.Close() }() // it was only read from
	to, err := os.OpenFile(filepath.Join(dir, filepath.Base(self)), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("writing the program: %w", err)
	}
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("writing the program: %w", err)
	}
	return to.Close()
}
