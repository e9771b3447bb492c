package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/assay-dev/assay/runner/report"
)

// unstarted is the ending of a command that could not be started. The kernel has the same word for very different
// mistakes, so it is the file that says why.
func unstarted(e ending, c config, err error) ending {
	e.code, e.ended = exitNotExecutable, e.started
	e.reason, e.message = report.ReasonCommandInvalid, ""
	name := c.command[0]
	file, there := name, false
	if strings.Contains(name, "/") {
		_, stat := os.Stat(name)
		there = !absent(stat)
	} else if path, lookup := lookUp(name, c.environment); lookup == nil {
		file, there = path, true
	}
	switch {
	case !there:
		e.code, e.reason = exitNotFound, report.ReasonCommandNotFound
		e.message = missingCommand(c, name)
	case aboutTheFile(err):
		e.message = fmt.Sprintf("the command %q cannot be run: %s", name, firstOf(unrunnable(c, file), cause(err).Error()))
	default:
		e.message = fmt.Sprintf("the command %q cannot be run: %v", name, cause(err))
	}
	return e
}

// aboutTheFile leaves out what else may hinder a start, such as arguments that are too long.
func aboutTheFile(err error) bool {
	kinds := []error{fs.ErrNotExist, syscall.ENOTDIR, fs.ErrPermission, syscall.ENOEXEC, syscall.EISDIR}
	return slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
}

// missingCommand is for a command whose file is not there.
func missingCommand(c config, name string) string {
	if strings.Contains(name, "/") {
		return "the command cannot be run: " + missing(c, name)
	}
	text := fmt.Sprintf("the command %q is not in the PATH of the image; ", name)
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return text + fmt.Sprintf("for the file in %s write ./%s in spec.command", c.folder(), name)
	}
	return text + "use an image that has it, or name another one in spec.command"
}

// unrunnable says why a file that is there cannot be run, and what to do; empty when it looks as if it could.
func unrunnable(c config, file string) string {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return "it is a folder; name a program in spec.command"
	case !info.Mode().IsRegular():
		return "it is not a regular file; name a program in spec.command"
	}
	head := headOf(file)
	if info.Mode()&0o111 == 0 {
		return notExecutable(c, file, head)
	}
	switch {
	case info.Size() == 0:
		return "the file is empty"
	case head == "":
		return ""
	case strings.HasPrefix(head, "#!"):
		return badShebang(c, head)
	case strings.HasPrefix(head, "\xef\xbb\xbf#!"):
		return "its first line begins with a byte order mark; save it as UTF-8 without one"
	case isProgram(head):
		return foreignProgram(file, head)
	}
	return "it is no program, and a script without its first line: write #!/bin/sh there, or name another interpreter"
}

// notExecutable is for a file without the bit that lets it be run. A file of the image has no Git to keep the bit.
func notExecutable(c config, file, head string) string {
	byInterpreter := fmt.Sprintf("start it by its interpreter (command: [%s, %s])", interpreterFor(head), file)
	if inGit, ok := c.inRepository(file); ok {
		const inBoth = "it is not executable; chmod +x %[1]s and git update-index --chmod=+x %[1]s, or %[2]s"
		return fmt.Sprintf(inBoth, inGit, byInterpreter)
	}
	return fmt.Sprintf("it is not executable; chmod +x %s in the image, or %s", file, byInterpreter)
}

// lookUp finds the command as a shell would, by the command's own PATH and from its working folder.
func lookUp(command string, environment []string) (string, error) {
	for _, e := range environment {
		if len(e) > 5 && e[:5] == "PATH=" {
			if err := os.Setenv("PATH", e[5:]); err != nil {
				return "", err
			}
		}
	}
	path, err := exec.LookPath(command)
	if errors.Is(err, exec.ErrDot) { // PATH holds "."; a shell would run it
		err = nil
	}
	return path, err
}

// cause leaves out what an error of os/exec or os repeats of the command.
func cause(err error) error {
	var lookup *exec.Error
	var path *fs.PathError
	switch {
	case errors.As(err, &lookup):
		return cause(lookup.Err)
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

// enter goes to the working folder. Without content it makes the folder, so that a command without files runs too; with
// content the folder has to be a part of it.
func enter(c config) error {
	folder := filepath.Join(c.workspace, filepath.FromSlash(c.workingDir))
	if c.content == "" {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("spec.workingDir: %q cannot be made: %w", c.workingDir, cause(err))
		}
	}
	info, err := os.Stat(folder)
	switch {
	case absent(err):
		return errors.New(missingFolder(c))
	case err == nil && !info.IsDir():
		return fmt.Errorf("spec.workingDir: %q is a file, not a folder; correct spec.workingDir", c.workingDir)
	case err == nil:
		err = os.Chdir(folder)
	}
	if err != nil {
		return fmt.Errorf("spec.workingDir: %q cannot be entered: %w", c.workingDir, cause(err))
	}
	return nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
