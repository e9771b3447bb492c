package render

import "time"

// Limits bound what one rendering may take. A zero field means its default.
type Limits struct {
	// Files read at most, kustomizations included. Default: 2000.
	Files int
	// FileBytes of one file at most. Default: 1 MiB.
	FileBytes int64
	// TotalBytes of all files at most. Default: 16 MiB.
	TotalBytes int64
	// Depth of kustomizations that include each other at most. Default: 16.
	Depth int
	// Suites, with generated objects, that a catalog may hold at most. Default: 1000.
	Suites int
	// Time that scanning, and kustomize after it, may take each. Default: 30 s. kustomize
	// cannot be interrupted: one that is given up finishes in the background, at the next file.
	Time time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Files == 0 {
		l.Files = 2000
	}
	if l.FileBytes == 0 {
		l.FileBytes = 1 << 20
	}
	if l.TotalBytes == 0 {
		l.TotalBytes = 16 << 20
	}
	if l.Depth == 0 {
		l.Depth = 16
	}
	if l.Suites == 0 {
		l.Suites = 1000
	}
	if l.Time == 0 {
		l.Time = 30 * time.Second
	}
	return l
}
