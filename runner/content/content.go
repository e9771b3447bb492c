// Package content packs the files that a test pod gets into one tar, and unpacks it there.
//
// In: an fs.FS and the paths a suite names. Out: a tar whose bytes depend on nothing but the names, bytes and executable
// bits of the files, and its digest. On the way back the tar is hostile until its digest is known, and the files are
// hostile even then: links and devices are refused, nothing is written outside the folder, sizes and counts are
// bounded. It knows nothing of Git, pods or the gateway.
package content

import (
	"io"
	"io/fs"
)

// Limits bound one content. A zero field means its default.
type Limits struct {
	// Files is the number of files and folders. Default 20,000.
	Files int
	// Bytes is the size of all files together. Default 256 MiB.
	Bytes int64
}

// Pack writes the files below the paths (files or folders, slash-separated, from the root of the tree; "." is all) as a
// tar: sorted by name, without times and owners, mode 0755 for folders and executable files and 0644 for others. The
// digest is "sha256:" and the hexadecimal hash of what was written. Faults: ContentNotFound... (being written)
func Pack(w io.Writer, tree fs.FS, paths []string, limits Limits) (digest string, err error) {
	panic("being written")
}

// Unpack reads a tar that Pack wrote into dir, which must exist, and checks it against the digest.
func Unpack(r io.Reader, dir, digest string, limits Limits) error { panic("being written") }
