package content

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/assay-dev/assay/api/fault"
)

// Pack writes the files below the paths (files or folders, slash-separated, from the root of the tree; "." is all) as a
// tar: each file once, sorted by name, without times and owners, mode 0755 for executable files and 0644 for others.
// Folders are not in it, they follow from the names. The digest is "sha256:" and the hexadecimal hash of the tar.
//
// Faults: InvalidCatalog for a path that is not there, SymlinkRefused for anything but files and folders, LimitExceeded.
// Other errors are the tree's (which may refuse a file, such as a pointer of Git LFS) or the writer's. After an error what was written is worth nothing.
func Pack(w io.Writer, tree fs.FS, paths []string, limits Limits) (digest string, err error) {
	limits = limits.withDefaults()
	files, err := collect(tree, paths, limits)
	if err != nil {
		return "", err
	}
	h := newHash()
	out := tar.NewWriter(io.MultiWriter(w, h))
	buffer := make([]byte, 64<<10)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := packFile(out, tree, name, buffer); err != nil {
			return "", err
		}
	}
	if err := out.Close(); err != nil {
		return "", fmt.Errorf("content cannot be written: %w", err)
	}
	return digestOf(h), nil
}

// collect finds the files and checks them against the limits before the first byte is written.
func collect(tree fs.FS, paths []string, limits Limits) (map[string]bool, error) {
	files := map[string]bool{}
	left := limits.Bytes
	for _, path := range paths {
		if !fs.ValidPath(path) {
			return nil, fault.New(fault.InvalidCatalog, fault.Place{File: path, Field: "spec.content.paths"},
				"write it relative to the root of the repository, with / and without ..", "%q is no path inside the repository", path)
		}
		err := fs.WalkDir(tree, path, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil && name == path && errors.Is(err, fs.ErrNotExist):
				return fault.New(fault.InvalidCatalog, fault.Place{File: path, Field: "spec.content.paths"},
					"commit it or take it out of the list", "%q is not in the repository", path)
			case err != nil:
				return err
			case entry.IsDir() || files[name]:
				return nil
			case !entry.Type().IsRegular():
				return fault.New(fault.SymlinkRefused, fault.Place{File: name},
					"commit a file instead, or leave it out of spec.content.paths", "%q is a link or submodule, and content has only files", name)
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			files[name] = true
			left -= info.Size()
			return overLimits(path, name, len(files), left, limits)
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func overLimits(path, name string, count int, left int64, limits Limits) error {
	const remedy = "name fewer files in spec.content.paths"
	place := fault.Place{File: path}
	switch {
	case len(name) > maxName:
		return fault.New(fault.LimitExceeded, place, remedy, "a path below it has more than %d bytes", maxName)
	case count > limits.Files:
		return fault.New(fault.LimitExceeded, place, remedy, "the content has more than %d files", limits.Files)
	case left < 0:
		return fault.New(fault.LimitExceeded, place, remedy, "the content has more than %d bytes", limits.Bytes)
	}
	return nil
}

func packFile(out *tar.Writer, tree fs.FS, name string, buffer []byte) error {
	f, err := tree.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o644}
	if info.Mode().Perm()&0o111 != 0 {
		header.Mode = 0o755
	}
	if err := out.WriteHeader(header); err != nil {
		return fmt.Errorf("content cannot be written at %q: %w", name, err)
	}
	if _, err := io.CopyBuffer(out, f, buffer); err != nil {
		return fmt.Errorf("content cannot be written at %q: %w", name, err)
	}
	return nil
}
