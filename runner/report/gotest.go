package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// goEvent is one line of go test -json (go doc test2json).
type goEvent struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64 // seconds
	Output      string
	ImportPath  string // of build-output and build-fail
	FailedBuild string // of a package's fail: the ImportPath that did not build
}

// goParser reads the events of go test -json. Suite is the package, Name the test with its subtests' path.
//
// A test with subtests is a Group, unless it failed and none of them did. A package that fails though none of its tests
// did is an errored case: "(build)" when it did not compile, else "(package)" (TestMain, a panic outside of tests, a
// data race after the last test). A test without an end is errored: its process died, or the report breaks off.
type goParser struct {
	*builder
	packages map[string]*goPackage
	order    []string         // of packages
	builds   map[string]*text // compiler output by ImportPath
	plain    text             // lines that are not events
	foreigns int              // of these
	events   int
	first    string // foreign line
}

func parseGoTestJSON(r io.Reader, limits Limits) (Report, error) {
	p := &goParser{builder: newBuilder(GoTestJSON, r, limits), packages: map[string]*goPackage{}, builds: map[string]*text{}}
	p.plain = p.newText(limits.Output)
	in := newLines(p.source)
	for {
		raw, cut, ok := in.next()
		if !ok {
			break
		}
		p.line(raw, cut)
	}
	for _, name := range p.order {
		p.packages[name].abandon(p)
	}
	if p.events > 0 && p.foreigns > 0 {
		p.warn("%d lines are not JSON events, the first is %q", p.foreigns, p.first)
	}
	return p.finish(p.foreign())
}

func (p *goParser) line(raw []byte, cut bool) {
	var e goEvent
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return
	}
	if cut || raw[0] != '{' || json.Unmarshal(raw, &e) != nil || e.Action == "" {
		if p.foreigns++; p.foreigns == 1 {
			p.first = line(cutHead(string(raw), 400), 80)
		}
		p.plain.write(string(raw) + "\n")
		return
	}
	switch e.Action {
	case "start", "run", "pause", "cont", "pass", "bench", "fail", "skip", "output", "attr", "artifacts":
		p.events++
		p.pkg(e.Package).event(p, e)
	case "build-output":
		p.events++
		p.build(e.ImportPath).write(e.Output)
	case "build-fail":
		p.events++
	}
}

// pkg gives the package of an event; test2json without -p names none.
func (p *goParser) pkg(name string) *goPackage {
	if one, ok := p.packages[name]; ok {
		return one
	}
	if len(p.order) >= p.limits.Cases { // hostile: let the rest share one
		name = ""
		if one, ok := p.packages[name]; ok {
			return one
		}
	}
	one := &goPackage{name: name, tests: map[string]*goTest{}, output: p.newText(p.limits.Details)}
	p.packages[name] = one
	p.order = append(p.order, name)
	return one
}

func (p *goParser) build(importPath string) *text {
	if t, ok := p.builds[importPath]; ok {
		return t
	}
	t := p.newText(p.limits.Details)
	if len(p.builds) < p.limits.Cases {
		p.builds[importPath] = &t
	}
	return &t
}

// buildOutput is what the compiler said about a package: its own events, or, before Go 1.24, the plain lines of a go test
// whose standard error went into the same file.
func (p *goParser) buildOutput(pkg, failedBuild string) string {
	if t, ok := p.builds[failedBuild]; ok && failedBuild != "" {
		return t.String()
	}
	if plain := p.plain.String(); strings.Contains(plain, "# "+pkg) {
		return plain
	}
	return ""
}

func (p *goParser) foreign() *Error {
	if p.events > 0 {
		if p.cases() == 0 {
			p.warn("no package of it has tests")
		}
		return nil
	}
	return &Error{
		Problem: ErrFormat,
		Line:    1,
		Detail:  fmt.Sprintf("no line of it is an event of go test -json, the first is %q", p.first),
		Remedy:  "run go test with -json and write its standard output to the report",
	}
}
