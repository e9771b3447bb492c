package catalog

import (
	"fmt"
	"strings"
)

// maxPathShown bounds a path, a glob or the name of a branch in a reason, in bytes. A plan of a
// thousand suites has to fit into one object, whatever the names are.
const maxPathShown = 120

// listedPaths is listed for paths and globs.
func listedPaths(paths []string) string {
	var b strings.Builder
	for i, path := range paths[:min(len(paths), shownInList)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shortened(path))
	}
	if more := len(paths) - shownInList; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// shortened keeps the end of a long path, which tells more than its beginning.
func shortened(path string) string {
	const cut = "…"
	if len(path) <= maxPathShown {
		return path
	}
	return cut + strings.ToValidUTF8(path[len(path)-maxPathShown+len(cut):], "")
}
