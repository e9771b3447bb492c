package git

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ignored is the patterns that apply in a folder, the strongest last.
type ignored []gitignore.Pattern

// outermost gives the patterns from outside the work tree: the system's, the user's and the
// clone's own. Files that are not there, or cannot be read, count as empty, as in Git.
func (c *comparison) outermost() ignored {
	var all ignored
	disk := osfs.New("/")
	if system, err := gitignore.LoadSystemPatterns(disk); err == nil {
		all = append(all, system...)
	}
	if own, err := gitignore.LoadGlobalPatterns(disk); err == nil {
		all = append(all, own...)
	}
	if dir, err := os.UserConfigDir(); err == nil {
		all = all.with(filepath.Join(dir, "git", "ignore"), nil)
	}
	return all.with(filepath.Join(c.local.root, ".git", "info", "exclude"), nil)
}

// with adds the patterns of a file that apply below the folder.
func (i ignored) with(file string, folder []string) ignored {
	f, err := os.Open(file)
	if err != nil {
		return i
	}
	defer func() { _ = f.Close() }() // it was only read from
	all := slices.Clip(i)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			all = append(all, gitignore.ParsePattern(line, slices.Clone(folder)))
		}
	}
	return all
}

// match says whether the last pattern that fits a path ignores it.
func (i ignored) match(path []string, folder bool) bool {
	return gitignore.NewMatcher(i).Match(path, folder)
}
