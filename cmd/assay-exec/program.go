package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// headBytes of a file are looked at. The kernel looks at no more of a script's first line.
const headBytes = 256

// headOf gives the beginning of a regular file; empty for one that cannot be read.
func headOf(file string) string {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	return string(head[:n])
}

const windowsLines = "it has Windows line ends: commit it with LF (.gitattributes: *.sh text eol=lf)"

// hasWindowsLines says whether the first line ends as on Windows, which makes a shell look for a "sh\r" and the like.
func hasWindowsLines(head string) bool {
	first, _, whole := strings.Cut(head, "\n")
	return whole && strings.HasSuffix(first, "\r")
}

// interpreter is what the first line of a script names: "/bin/sh" of "#!/bin/sh -e"; empty where it names none.
func interpreter(head string) string {
	first, _, _ := strings.Cut(head, "\n")
	line, is := strings.CutPrefix(first, "#!")
	if fields := strings.Fields(line); is && len(fields) > 0 {
		return fields[0]
	}
	return ""
}

// byEnv is the program that env is to find for a script: "bash" of "#!/usr/bin/env bash"; empty for other scripts.
func byEnv(head string) string {
	first, _, _ := strings.Cut(head, "\n")
	fields := strings.Fields(strings.TrimPrefix(first, "#!"))
	if path.Base(interpreter(head)) != "env" || len(fields) < 2 {
		return ""
	}
	if program := fields[1]; !strings.HasPrefix(program, "-") && !strings.Contains(program, "=") {
		return program
	}
	return ""
}

// interpreterFor gives the program to start a script by: what its first line names, or else sh.
func interpreterFor(head string) string {
	if program := byEnv(head); program != "" {
		return program
	}
	if name := interpreter(head); name != "" {
		return path.Base(name)
	}
	return "sh"
}

// badShebang says what is wrong with the first line of a script that is run by it; empty when nothing is.
func badShebang(c config, head string) string {
	name := interpreter(head)
	if program := byEnv(head); program != "" {
		if found, err := lookUp(program, c.environment); err != nil {
			name = program
		} else {
			name = found
		}
	}
	switch info, err := os.Stat(name); {
	case hasWindowsLines(head):
		return windowsLines
	case name == "":
		return "its first line names no interpreter; write #!/bin/sh"
	case absent(err):
		return fmt.Sprintf("its first line names the interpreter %q, which is not in the image; "+
			"use an image that has it, or name another interpreter", name)
	case err == nil && info.Mode()&0o111 == 0:
		return fmt.Sprintf("its first line names the interpreter %q, which is not executable", name)
	}
	return ""
}

// machines are what ELF has for a GOARCH. Some share one.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "386": elf.EM_386, "arm": elf.EM_ARM, "riscv64": elf.EM_RISCV,
	"ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390, "loong64": elf.EM_LOONGARCH,
}

// machineName gives the GOARCH of a machine, or else what ELF calls it.
func machineName(machine elf.Machine) string {
	for name, m := range machines {
		if m == machine {
			return name
		}
	}
	return machine.String()
}

// The first bytes of programs that are not for Linux.
const (
	windowsMagic   = "MZ"
	macMagic       = "\xcf\xfa\xed\xfe"
	universalMagic = "\xca\xfe\xba\xbe" // of a macOS program for several machines
)

func isProgram(head string) bool {
	return slices.ContainsFunc([]string{elf.ELFMAG, windowsMagic, macMagic, universalMagic}, func(magic string) bool {
		return strings.HasPrefix(head, magic)
	})
}

// foreignProgram says which system a program was built for, where that is another one, or what it lacks here; empty
// where neither is the trouble.
func foreignProgram(file, head string) string {
	other := func(system string) string {
		return fmt.Sprintf("it is a program for %s, and this node is linux/%s; build it for that", system, runtime.GOARCH)
	}
	switch {
	case strings.HasPrefix(head, elf.ELFMAG):
		return foreignELF(file, other)
	case strings.HasPrefix(head, windowsMagic):
		return other("Windows")
	}
	return other("macOS")
}

func foreignELF(file string, other func(system string) string) string {
	program, err := elf.Open(file)
	if err != nil {
		return "it is a program that is cut off or damaged; commit it again"
	}
	defer func() { _ = program.Close() }() // only read
	if ours, known := machines[runtime.GOARCH]; known && program.Machine != ours {
		return other("linux/" + machineName(program.Machine))
	}
	for _, p := range program.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, _ := io.ReadAll(io.LimitReader(p.Open(), headBytes)) // what of it there is
		loader := strings.TrimRight(string(name), "\x00")
		if _, err := os.Stat(loader); absent(err) {
			return fmt.Sprintf("it needs the loader %q, which is not in the image; "+
				"build it static (CGO_ENABLED=0), or use an image that has the loader", loader)
		}
	}
	return ""
}
