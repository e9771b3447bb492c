// Package content packs the files that a test pod gets into one tar, and unpacks it there.
//
// In: an fs.FS and the paths a suite names. Out: a tar whose bytes depend on nothing but the names, bytes and executable
// bits of the files, and its digest. On the way back the tar is hostile until its digest is known: links, devices and
// names that lead out of the folder are refused, and sizes and counts are bounded. It knows nothing of Git, pods or the
// gateway.
package content

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Limits bound one content. A zero field means its default.
type Limits struct {
	// Files is the number of files. Default 20,000.
	Files int
	// Bytes is the size of all files together. Default 256 MiB.
	Bytes int64
}

func (l Limits) withDefaults() Limits {
	if l.Files <= 0 {
		l.Files = 20_000
	}
	if l.Bytes <= 0 {
		l.Bytes = 256 << 20
	}
	return l
}

// tarBytes is the most that a tar within the limits can take: each file has a header, perhaps one for a long name, and
// is filled up to whole blocks.
func (l Limits) tarBytes() int64 {
	const header, end = 8 << 10, 16 << 10
	return l.Bytes + int64(l.Files)*header + end
}

// maxName bounds the path of a file.
const maxName = 4096

func digestOf(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

func newHash() hash.Hash { return sha256.New() }
