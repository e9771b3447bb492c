package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

const (
	nearNames    = 3     // of the names that are near, so many are told
	namesRead    = 2_000 // of a folder
	nearDistance = 2     // edits between two names that are near
)

// absent says whether the error is about a file or folder that is not there, or whose folder is a file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// folder names the working folder in messages.
func (c config) folder() string {
	if c.workingDir == "." || c.workingDir == "" {
		return "the root of the repository"
	}
	return fmt.Sprintf("the working folder %q", c.workingDir)
}

// inRepository gives the path of a file from the root of the repository; false for one elsewhere. It is called in the
// working folder.
func (c config) inRepository(file string) (string, bool) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return "", false
	}
	workspace, err := filepath.EvalSymlinks(c.workspace)
	if err != nil {
		return "", false
	}
	for _, root := range []string{c.workspace, workspace} {
		if below, ok := strings.CutPrefix(absolute, root+"/"); ok {
			return below, true
		}
	}
	return "", false
}

// missing says that a file is not there, and which names are near it. It is called in the working folder.
func missing(c config, file string) string {
	where := "in " + c.folder()
	switch {
	case strings.HasPrefix(file, c.workspace+"/"):
		where = "in the workspace"
	case path.IsAbs(file):
		where = "in the image"
	}
	text := fmt.Sprintf("there is no file %q %s", file, where)
	if elsewhere := fromRoot(c, file); elsewhere != "" {
		return fmt.Sprintf("%s; from there it is %q", text, elsewhere)
	}
	folder := path.Dir(file)
	for ; folder != "." && folder != "/"; folder = path.Dir(folder) { // the first that is there
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			break
		}
		file = folder
	}
	if near := near(folder, path.Base(file)); len(near) > 0 {
		return fmt.Sprintf("%s; there is %s", text, quoted(folder, near))
	}
	return text + "; commit it, or correct the path"
}

// fromRoot is for a file that was named from the root of the repository: it gives its path from the working folder.
func fromRoot(c config, file string) string {
	if path.IsAbs(file) {
		return ""
	}
	if info, err := os.Stat(filepath.Join(c.workspace, file)); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	relative, err := filepath.Rel(path.Clean(c.workingDir), path.Clean(file))
	if err != nil {
		return ""
	}
	return relative
}

// missingFolder is for a working folder that the content does not have.
func missingFolder(c config) string {
	text := fmt.Sprintf("spec.workingDir: there is no folder %q in what the suite gets", c.workingDir)
	const remedy = "commit it, add it to spec.content.paths, or correct spec.workingDir"
	parent := filepath.Join(c.workspace, filepath.FromSlash(path.Dir(path.Clean(c.workingDir))))
	if near := near(parent, path.Base(c.workingDir)); len(near) > 0 {
		return fmt.Sprintf("%s, but %s; %s", text, quoted(path.Dir(path.Clean(c.workingDir)), near), remedy)
	}
	return text + "; " + remedy
}

// near gives the names in a folder that are most like one that is not there, the nearest first.
func near(folder, name string) []string {
	f, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()      // only read
	names, _ := f.Readdirnames(namesRead) // what of them there is
	away := map[string]int{}
	for _, n := range names {
		d := nearDistance + 1
		if abs := max(len(n)-len(name), len(name)-len(n)); abs <= nearDistance {
			d = distance(strings.ToLower(n), strings.ToLower(name))
		}
		if d <= min(nearDistance, (len(name)+1)/3) || stem(n) == stem(name) {
			away[n] = d
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { _, near := away[n]; return !near })
	slices.SortFunc(names, func(a, b string) int {
		if d := away[a] - away[b]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names[:min(len(names), nearNames)]
}

// quoted lists names of a folder for a message.
func quoted(folder string, names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = fmt.Sprintf("%q", path.Join(folder, n))
	}
	return strings.Join(list, ", ")
}

// stem is a name without its ending.
func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

// distance counts the letters to add, to leave out or to change between two names (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// script is what an argument looks like that names a script: it has the ending of one, and nothing of a flag, a glob, a
// URL or an assignment.
var script = regexp.MustCompile(`^[A-Za-z0-9_./@+][A-Za-z0-9_./@+-]*` +
	`\.(sh|bash|bats|t|js|mjs|cjs|ts|py|rb|pl|php|lua|go|robot|feature|jmx|jar)$`)

// scriptTrouble says what is wrong with a script that did not get to run, for a command that failed and left no case:
// with the command itself, or with the first argument that looks like a script.
func scriptTrouble(c config) string {
	if head := headOf(c.command[0]); strings.Contains(c.command[0], "/") && strings.HasPrefix(head, "#!") {
		if trouble := badShebang(c, head); trouble != "" {
			return fmt.Sprintf("%q: %s", c.command[0], trouble)
		}
	}
	i := slices.IndexFunc(c.command[1:], script.MatchString)
	if i < 0 {
		return ""
	}
	file := c.command[1+i]
	if _, err := os.Stat(file); absent(err) {
		return missing(c, file)
	}
	head := headOf(file)
	if shell := strings.HasPrefix(head, "#!") || path.Ext(file) == ".sh"; shell && hasWindowsLines(head) {
		return fmt.Sprintf("%q: %s", file, windowsLines)
	}
	return ""
}
