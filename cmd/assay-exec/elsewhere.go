package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/runner/report"
)

// The bounds of the look for reports at other places than the one that was named.
const (
	foundFiles    = 5
	lookedAtDepth = 8
	lookedAt      = 20_000 // files and folders
)

// endings are those of the files that hold reports of the format.
var endings = map[report.Format][]string{
	report.JUnit:      {".xml"},
	report.TAP:        {".tap"},
	report.GoTestJSON: {".json", ".jsonl"},
	report.K6Summary:  {".json"},
}

// candidates are the files of the right kind in places where a report may be by mistake.
type candidates struct {
	format report.Format
	places []string
	before map[string]mark // what is there before the command is content, not a report
}

func newCandidates(format report.Format, places ...string) candidates {
	c := candidates{format: format, places: places, before: map[string]mark{}}
	c.walk(func(file string, now mark) bool {
		c.before[file] = now
		return true
	})
	return c
}

// written gives the first few files that the command wrote.
func (c candidates) written() []string {
	var found []string
	c.walk(func(file string, now mark) bool {
		if old, there := c.before[file]; !there || old != now {
			found = append(found, file)
		}
		return len(found) < foundFiles
	})
	return found
}

// walk visits the files until visit gives false, and no more and no deeper than the bounds allow.
func (c candidates) walk(visit func(file string, now mark) (goOn bool)) {
	left := lookedAt
	for _, place := range c.places {
		_ = filepath.WalkDir(place, func(file string, entry fs.DirEntry, err error) error { // its errors are all ours
			if left--; left <= 0 {
				return filepath.SkipAll
			}
			switch depth := strings.Count(strings.TrimPrefix(file, place), string(os.PathSeparator)); {
			case err != nil:
				return nil // a folder that may not be read
			case entry.IsDir() && depth >= lookedAtDepth:
				return filepath.SkipDir
			case !entry.Type().IsRegular() || !slices.Contains(endings[c.format], filepath.Ext(file)):
				return nil
			}
			if info, err := entry.Info(); err == nil && !visit(file, mark{info.Size(), info.ModTime()}) {
				left = 0
				return filepath.SkipAll
			}
			return nil
		})
	}
}
