package main

import (
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/runner/report"
)

// elfOf is the beginning of a program for another machine, with the headers that it needs to be read.
func elfOf(machine byte) []byte {
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x01\x01")
	head[16], head[18], head[20], head[52] = 2, machine, 1, 64
	return head
}

// TestWhatCannotBeStartedSaysWhy: each mistake has words and a remedy of its own.
func TestWhatCannotBeStartedSaysWhy(t *testing.T) {
	const notFound, invalid = report.ReasonCommandNotFound, report.ReasonCommandInvalid
	const arm, amd = 183, 62
	foreign, other := byte(arm), "linux/arm64"
	if runtime.GOARCH == "arm64" {
		foreign, other = amd, "linux/amd64"
	}
	run := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o755} }
	files := fstest.MapFS{
		"root.sh":          run("#!/bin/sh\n"),
		"tests/m/smoke.sh": run("#!/bin/sh\n"),
		"tests/plain.sh":   {Data: []byte("#!/usr/bin/env bash\n")},
		"tests/none.sh":    run("echo hello\n"),
		"tests/empty.sh":   run(""),
		"tests/crlf.sh":    run("#!/bin/sh\r\necho\r\n"),
		"tests/bom.sh":     run("\xef\xbb\xbf#!/bin/sh\n"),
		"tests/lost.sh":    run("#!/no/such/shell -e\n"),
		"tests/loose.sh":   run("#!\n"),
		"tests/foreign":    {Data: elfOf(foreign), Mode: 0o755},
		"tests/torn":       {Data: elfOf(foreign)[:20], Mode: 0o755},
		"tests/win.exe":    run("MZ\x90"),
	}
	for _, c := range []struct {
		name    string
		command string
		reason  string
		exit    int
		says    []string
	}{
		{"not in the PATH", "pytest", notFound, 127,
			[]string{`"pytest" is not in the PATH of the image`, "use an image that has it"}},
		{"a file of the folder without ./", "none.sh", notFound, 127, []string{"write ./none.sh in spec.command"}},
		{"no such file", "./m/smoek.sh", notFound, 127,
			[]string{`no file "./m/smoek.sh" in the working folder "tests"`, `there is "m/smoke.sh"`}},
		{"no such folder", "./n/smoke.sh", notFound, 127, []string{`no file "./n/smoke.sh"`, "commit it, or correct the path"}},
		{"a folder that is a file", "./none.sh/x", notFound, 127, []string{`no file "./none.sh/x"`}},
		{"named from the root", "tests/m/smoke.sh", notFound, 127, []string{`from there it is "m/smoke.sh"`}},
		{"no such file of the image", "/usr/bin/k7", notFound, 127, []string{`no file "/usr/bin/k7" in the image`}},
		{"not executable", "./plain.sh", invalid, 126,
			[]string{"chmod +x tests/plain.sh and git update-index --chmod=+x tests/plain.sh", "command: [bash, ./plain.sh]"}},
		{"not executable, of the image", "/etc/passwd", invalid, 126,
			[]string{"chmod +x /etc/passwd in the image", "command: [sh, /etc/passwd]"}},
		{"no shebang", "./none.sh", invalid, 126, []string{"a script without its first line: write #!/bin/sh there"}},
		{"an empty file", "./empty.sh", invalid, 126, []string{"the file is empty"}},
		{"Windows line ends", "./crlf.sh", invalid, 126, []string{"Windows line ends", ".gitattributes: *.sh text eol=lf"}},
		{"a byte order mark", "./bom.sh", invalid, 126, []string{"byte order mark"}},
		{"an interpreter that is not there", "./lost.sh", invalid, 126, []string{`"/no/such/shell", which is not in the image`}},
		{"no interpreter", "./loose.sh", invalid, 126, []string{"names no interpreter"}},
		{"of another machine", "./foreign", invalid, 126,
			[]string{"a program for " + other, "this node is linux/" + runtime.GOARCH}},
		{"a program that is cut off", "./torn", invalid, 126, []string{"cut off or damaged"}},
		{"of another system", "./win.exe", invalid, 126, []string{"a program for Windows"}},
		{"a folder", "./m", invalid, 126, []string{"it is a folder"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newPod(t, files).run([]string{"--working-dir=tests"}, c.command)
			if r.exit != c.exit || r.outcome.Reason != c.reason || r.outcome.Ran() {
				t.Errorf("exit %d, %+v", r.exit, r.outcome)
			}
			contains(t, "the message", r.outcome.Message, c.says...)
			if strings.Contains(r.outcome.Message, "root.sh") {
				t.Errorf("a name that is not near: %s", r.outcome.Message)
			}
		})
	}
}

func TestTheWorkingFolderHasToBeThere(t *testing.T) {
	files := fstest.MapFS{"tests/api/a.sh": {}, "tests/file": {}}
	for folder, says := range map[string][]string{
		"tests/app":   {`no folder "tests/app"`, `"tests/api"`, "commit it", "correct spec.workingDir"},
		"none":        {`no folder "none"`, "spec.content.paths"},
		"tests/file":  {`"tests/file" is a file`, "correct spec.workingDir"},
		"tests/file/": {`is a file`},
	} {
		r := newPod(t, files).run([]string{"--working-dir=" + folder}, "./a.sh")
		if r.exit != exitNoWorkingDir || r.outcome.Reason != report.ReasonWorkingDirInvalid {
			t.Errorf("%s: exit %d, %+v", folder, r.exit, r.outcome)
		}
		contains(t, "the message", r.outcome.Message, says...)
	}
	if r := newPod(t, nil).run([]string{"--working-dir=tests"}, "pwd"); r.exit != 0 {
		t.Errorf("without content: exit %d, %+v", r.exit, r.outcome)
	}
}

// TestAScriptThatCannotBeFoundIsNamed: an interpreter starts, and then has nothing to run. How the command ended and why
// comes before what its report lacks.
func TestAScriptThatCannotBeFoundIsNamed(t *testing.T) {
	files := fstest.MapFS{
		"tests/m/file.sh":  {},
		"tests/crlf.sh":    {Data: []byte("set -e\r\ncd /\r\nexit 3\r\n")},
		"tests/good.sh":    {Data: []byte("echo oops >&2; exit 3\n")},
		"tests/env.sh":     {Data: []byte("#!/usr/bin/env no-such-shell\n"), Mode: 0o755},
		"tests/envcrlf.sh": {Data: []byte("#!/usr/bin/env sh\r\nexit 3\r\n"), Mode: 0o755},
		"tests/fails.sh":   {Data: []byte("#!/usr/bin/env sh\nexit 3\n"), Mode: 0o755},
	}
	tap := []string{"--report-format=tap", "--report-path=-"}
	for _, c := range []struct {
		name    string
		flags   []string
		command []string
		message string
	}{
		{"with a report", tap, []string{"sh", "m/flie.sh"},
			`there is no file "m/flie.sh" in the working folder "tests"; there is "m/file.sh"; report is empty (tap) in "standard output"`},
		{"without a report", nil, []string{"sh", "-e", "m/flie.sh", "x.py"},
			`there is no file "m/flie.sh" in the working folder "tests"; there is "m/file.sh"`},
		{"named from the root", nil, []string{"sh", "tests/good.sh"},
			`there is no file "tests/good.sh" in the working folder "tests"; from there it is "good.sh"`},
		{"Windows line ends", nil, []string{"sh", "crlf.sh"},
			`"crlf.sh": it has Windows line ends: commit it with LF (.gitattributes: *.sh text eol=lf)`},
		{"an interpreter that env does not find", nil, []string{"./env.sh"},
			`"./env.sh": its first line names the interpreter "no-such-shell", which is not in the image; ` +
				`use an image that has it, or name another interpreter`},
		{"Windows line ends, by env", nil, []string{"./envcrlf.sh"},
			`"./envcrlf.sh": it has Windows line ends: commit it with LF (.gitattributes: *.sh text eol=lf)`},
		{"an interpreter that env finds", nil, []string{"./fails.sh"}, ""},
		{"a script that fails", tap, []string{"sh", "good.sh"}, `report is empty (tap) in "standard output"`},
		{"a file that the command was to write", nil, sh("exit 3 > out.xml"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newPod(t, files).run(append([]string{"--working-dir=tests"}, c.flags...), c.command...)
			if r.exit == 0 || r.outcome.Message != c.message {
				t.Errorf("exit %d, message %q, want %q", r.exit, r.outcome.Message, c.message)
			}
			if c.message != "" {
				contains(t, "the log", r.stderr, "assay-exec: exit code ")
			}
		})
	}
}

func TestAReportElsewhereIsFound(t *testing.T) {
	files := fstest.MapFS{"tests/pom.xml": {}, "tests/green.xml": {Data: []byte(green)}}
	p := newPod(t, files)
	const script = "mkdir -p m/out; cp green.xml m/out/junit.xml; cp green.xml $TMPDIR/a.xml; touch m/out/junit.html"
	r := p.run(append(junit("out/junit.xml"), "--working-dir=tests"), sh(script)...)
	if r.outcome.Reason != report.ReasonReportMissing {
		t.Fatalf("%+v", r.outcome)
	}
	contains(t, "the message", r.outcome.Message,
		`in "tests/out/junit.xml": found tests/m/out/junit.xml, /`, "/a.xml; name it in spec.report.path")
	for _, not := range []string{"pom.xml", "html"} {
		if strings.Contains(r.outcome.Message, not) {
			t.Errorf("it names %s: %s", not, r.outcome.Message)
		}
	}
	const many = "mkdir -p 1/2/3/4/5/6/7/8/9; touch 1/2/3/4/5/6/7/8/9/deep.xml; for i in 1 2 3 4 5 6 7; do touch $i.xml; done"
	r = newPod(t, nil).run(junit("out.xml"), sh(many)...)
	if n := strings.Count(r.outcome.Message, ".xml"); n != 1+foundFiles || strings.Contains(r.outcome.Message, "deep") {
		t.Errorf("%d files: %s", n, r.outcome.Message)
	}
}

// TestAStoppedToolFailsNoCase: what a report lacks because its tool was stopped or killed is no failed case.
func TestAStoppedToolFailsNoCase(t *testing.T) {
	tap := []string{"--report-format=tap", "--report-path=-"}
	for _, c := range []struct {
		name   string
		flags  []string
		script string
		reason string
		bad    int
	}{
		{"at its timeout", append(tap, "--timeout=1s"), "echo ok 1 - a; sleep 60", report.ReasonTimedOut, 0},
		{"at its timeout, with a failed case", append(tap, "--timeout=1s"), "echo 1..3; echo ok 1 - a; echo not ok 2 - b; sleep 60", report.ReasonTimedOut, 1},
		{"by SIGKILL", tap, "echo ok 1 - a; kill -9 $$", "", 0},
		{"by SIGKILL, before its first case", tap, "echo hello; kill -9 $$", "", 0},
		{"by itself", tap, "echo ok 1 - a; exit 3", report.ReasonReportInvalid, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newPod(t, nil).run(c.flags, sh(c.script)...)
			if r.outcome.Reason != c.reason || r.outcome.Counts.Bad() != c.bad || len(r.outcome.Failures) != c.bad {
				t.Errorf("%+v", r.outcome)
			}
			if killed := r.outcome.ExitCode == 137; killed && (!r.outcome.Killed() || r.outcome.Message != "") {
				t.Errorf("nobody asks the cluster who killed it: %+v", r.outcome)
			}
		})
	}
}

// TestNamesThatAreNear says which names are taken for what somebody meant.
func TestNamesThatAreNear(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"smoke", "smoek", 2}, {"smoke", "smoke", 0}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
