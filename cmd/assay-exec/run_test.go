package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

const green = `<testsuite name="s"><testcase name="a"/><testcase name="b"/></testsuite>`
const red = `<testsuite name="s"><testcase name="a"/><testcase name="b"><failure message="2 is not 3">at b</failure></testcase></testsuite>`

func junit(path string) []string { return []string{"--report-format=junit", "--report-path=" + path} }

// TestEndings says which outcome and exit code follows from what the command does.
func TestEndings(t *testing.T) {
	files := fstest.MapFS{
		"tests/green.xml": {Data: []byte(green)},
		"tests/red.xml":   {Data: []byte(red)},
		"tests/other.xml": {Data: []byte(strings.ReplaceAll(green, `"s"`, `"t"`))},
		"tests/cut.xml":   {Data: []byte(red[:45])},
		"tests/run.sh":    {Data: []byte("#!/bin/sh\npwd\n"), Mode: 0o755},
	}
	for _, c := range []struct {
		name    string
		flags   []string
		command []string
		exit    int
		code    int
		reason  string
		bad     int
		total   int
		says    string
	}{
		{"a command that succeeds", nil, sh("true"), 0, 0, "", 0, 0, ""},
		{"a command that fails", nil, sh("exit 3"), 3, 3, "", 0, 0, ""},
		{"a script of the content", nil, []string{"./run.sh"}, 0, 0, "", 0, 0, ""},
		{"a command that a signal ends", nil, sh("kill -9 $$"), 137, 137, "", 0, 0, ""},
		{"a command that is not there", nil, []string{"k7", "run"}, 127, 127, report.ReasonCommandNotFound, 0, 0, `"k7"`},
		{"a script that is not there", nil, []string{"./k7.sh"}, 127, 127, report.ReasonCommandNotFound, 0, 0, `"./k7.sh"`},
		{"a green report", junit("out.xml"), sh("cp green.xml out.xml"), 0, 0, "", 0, 2, ""},
		{"a red report", junit("out.xml"), sh("cp red.xml out.xml; exit 1"), 1, 1, "", 1, 2, ""},
		{"a red report and exit code 0", junit("out.xml"), sh("cp red.xml out.xml"), exitCasesFailed, 0, "", 1, 2, ""},
		{"a green report and exit code 1", junit("out.xml"), sh("cp green.xml out.xml; exit 1"), 1, 1, "", 0, 2, ""},
		{"no report", junit("out.xml"), sh("true"), exitReportMissing, 0, report.ReasonReportMissing, 0, 0, `"tests/out.xml"`},
		{"no report and exit code 1", junit("out.xml"), sh("exit 1"), 1, 1, report.ReasonReportMissing, 0, 0, ""},
		{"an empty report", junit("out.xml"), sh(": > out.xml"), exitReportMissing, 0, report.ReasonReportMissing, 0, 0, ""},
		{"a report that is not XML", junit("out.xml"), sh("echo hello > out.xml"), exitReportInvalid, 0, report.ReasonReportInvalid, 0, 0, ""},
		{"a report that is cut off", junit("out.xml"), sh("cp cut.xml out.xml"), exitReportInvalid, 0, report.ReasonReportInvalid, 0, 1, "breaks off"},
		{"a report of the repository, which the command did not write", junit("green.xml"), sh("true"), exitReportMissing, 0, report.ReasonReportMissing, 0, 0, ""},
		{"a report of the repository that the command wrote over", junit("green.xml"), sh("cp red.xml green.xml"), exitCasesFailed, 0, "", 1, 2, ""},
		{"many reports", junit("**/TEST-*.xml"), sh("mkdir -p a/b; cp other.xml a/TEST-1.xml; cp red.xml a/b/TEST-2.xml"), exitCasesFailed, 0, "", 1, 4, ""},
		{"a report below the workspace", junit("/workspace/out.xml"), sh("cp green.xml ../out.xml"), 0, 0, "", 0, 2, ""},
		{"a report path that leads out", junit("../../out.xml"), sh("true"), exitContentFailed, 0, report.ReasonContentFailed, 0, 0, "leads out"},
		{"a named pipe for a report", junit("*.xml"), sh("mkfifo out.xml"), exitReportInvalid, 0, report.ReasonReportInvalid, 0, 0, "not a regular file"},
		{"TAP on the standard output", []string{"--report-format=tap", "--report-path=-"}, sh("echo 1..2; echo ok 1; echo not ok 2 - two; echo noise >&2"), exitCasesFailed, 0, "", 1, 2, ""},
		{"nothing on the standard output", []string{"--report-format=tap", "--report-path=-"}, sh("echo 1..2 >&2"), exitReportMissing, 0, report.ReasonReportMissing, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPod(t, files)
			flags := []string{"--working-dir=tests"}
			for _, f := range c.flags {
				flags = append(flags, strings.Replace(f, "=/workspace/", "="+p.workspace+"/", 1))
			}
			r := p.run(flags, c.command...)
			if r.exit != c.exit || r.outcome.ExitCode != c.code || r.outcome.Reason != c.reason || r.outcome.Counts.Bad() != c.bad || r.outcome.Counts.Total != c.total {
				t.Errorf("exit %d, outcome %+v\nstderr: %s", r.exit, r.outcome, r.stderr)
			}
			contains(t, "the message", r.outcome.Message, c.says)
		})
	}
}

func TestOutputIsPassedOnAndItsEndIsKept(t *testing.T) {
	r := newPod(t, nil).run(nil, sh("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo oops >&2; exit 1")...)
	if n := strings.Count(r.stdout, "\n"); n != 3000 {
		t.Errorf("%d lines in the log", n)
	}
	contains(t, "the log", r.stderr, "oops")
	contains(t, "the outcome's output", r.outcome.Output, "line 2999", "oops")
	if len(r.outcome.Output) > report.OutcomeOutput {
		t.Errorf("%d bytes", len(r.outcome.Output))
	}
}

func TestBothStreamsKeepTheirEnds(t *testing.T) {
	const room = report.OutcomeOutput
	long := func(c string) string { return strings.Repeat(c, 3*room) }
	for _, c := range []struct {
		name, stdout, stderr string
		outs, errs           int // bytes that are left of each
	}{
		{"both short", "out\n", "err\n", 4, 4},
		{"nothing on standard error", long("o"), "", room - 1, 0},
		{"nothing on standard output", "", long("e"), 0, room - 1},
		{"a burst on standard output", long("o"), "oops", room - 5, 4},
		{"a burst on standard error", "oops\n", long("e"), 5, room - 6},
		{"a burst on both", long("o"), long("e"), room / 2, room/2 - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.stdout[len(c.stdout)-c.outs:]
			if want != "" && c.errs > 0 && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			want += c.stderr[len(c.stderr)-c.errs:]
			if got := endOf(c.stdout, c.stderr); got != want || len(got) > room {
				t.Errorf("%d bytes %.20q…, want %d bytes %.20q…", len(got), got, len(want), want)
			}
		})
	}
}

func TestTheCommandSeesNothingOfOurs(t *testing.T) {
	p := newPod(t, fstest.MapFS{"tests/a": {}})
	p.env = append(p.env, "BASE_URL=http://x", "ASSAY_SECRET_NAMES=SECRET", "HOME=/")
	r := p.run([]string{"--working-dir=tests"}, sh("env; echo pwd=$PWD; ls; touch $HOME/x && echo home is good; touch $TMPDIR/x && echo tmp is good")...)
	contains(t, "the environment", r.stdout, "BASE_URL=http://x", "pwd="+filepath.Join(p.workspace, "tests"), "\na\n", "tmp is good", "home is good")
	if strings.Contains(r.stdout, "ASSAY_") {
		t.Errorf("internals are visible: %s", r.stdout)
	}
}

// TestWhatSteersGoIsHandedOver: variables of Go's runtime are for the command, under their own names, and nothing else
// that arrives with our prefix is.
func TestWhatSteersGoIsHandedOver(t *testing.T) {
	p := newPod(t, nil)
	p.env = append(p.env, "GOMAXPROCS=", "GOGC=", "ASSAY_HANDED=GOMAXPROCS\nGOGC", "ASSAY_SUITE_GOMAXPROCS=999999",
		"ASSAY_SUITE_PATH=/evil", "ASSAY_PUBLIC=TOKEN", "ASSAY_ANYTHING=x")
	r := p.run(nil, sh("env")...)
	contains(t, "the environment", "\n"+r.stdout, "\nGOMAXPROCS=999999\n")
	for _, lack := range []string{"\nGOGC=", "ASSAY_", "/evil"} {
		if strings.Contains("\n"+r.stdout, lack) {
			t.Errorf("%q is among the environment: %s", lack, r.stdout)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Run("the tool gets the time to write its report", func(t *testing.T) {
		t.Parallel()
		p := newPod(t, nil)
		script := `trap 'printf %s "$REPORT" > out.xml; exit 9' TERM; touch ready; while :; do sleep 0.05; done`
		p.env = append(p.env, "REPORT="+red)
		r := p.run(append(junit("out.xml"), "--timeout=1s"), sh(script)...)
		if r.exit != exitTimedOut || r.outcome.Reason != report.ReasonTimedOut || r.outcome.ExitCode != 9 || r.outcome.Counts.Bad() != 1 {
			t.Errorf("exit %d, %+v", r.exit, r.outcome)
		}
		contains(t, "the message", r.outcome.Message, "1s")
	})
	t.Run("a tool that does not listen is killed, with its children", func(t *testing.T) {
		t.Parallel()
		p := newPod(t, nil)
		r := p.run([]string{"--timeout=1s", "--grace=300ms"}, sh(`trap '' TERM; sh -c 'trap "" TERM; while :; do sleep 0.05; done' & while :; do sleep 0.05; done`)...)
		if r.exit != exitTimedOut || r.outcome.Reason != report.ReasonTimedOut || r.outcome.ExitCode != 137 {
			t.Errorf("exit %d, %+v", r.exit, r.outcome)
		}
	})
}

func TestAPodThatIsStoppedSaysSo(t *testing.T) {
	p := newPod(t, nil)
	cmd := p.command(nil, sh("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is looked at below
	r := p.result(cmd, "", "")
	if r.exit != exitStopped || r.outcome.Reason != report.ReasonEvicted || r.outcome.ExitCode != 5 {
		t.Errorf("exit %d, %+v", r.exit, r.outcome)
	}
}

// TestNoSignalIsLost: one that comes just as the content is there either stops the attempt or is left for the command.
func TestNoSignalIsLost(t *testing.T) {
	for range 2000 {
		signals := make(chan os.Signal, 1)
		ctx, ended := heed(t.Context(), signals)
		go func() { signals <- syscall.SIGTERM }()
		if ended() {
			if !errors.Is(context.Cause(ctx), errStopped) {
				t.Fatal("the signal did not cancel the context")
			}
			continue
		}
		select {
		case <-signals:
		case <-time.After(10 * time.Second):
			t.Fatal("the signal is lost")
		}
	}
}

func TestAProcessLeftBehindHoldsNothingUp(t *testing.T) {
	begin := time.Now()
	r := newPod(t, nil).run(nil, sh("sleep 60 & setsid sleep 7 & echo done")...)
	if r.exit != 0 || time.Since(begin) > 6*time.Second {
		t.Errorf("exit %d after %s", r.exit, time.Since(begin))
	}
	contains(t, "the output", r.outcome.Output, "done")
}

func TestOrphansAreReaped(t *testing.T) {
	// The orphans end at once; a zombie among our children would stay for all of the wait.
	script := `for i in 1 2 3 4; do (true &); done
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  left=0
  for s in /proc/[0-9]*/stat; do
    read -r pid name state parent rest < $s 2>/dev/null || continue
    [ "$parent" = "$PPID" ] && [ "$state" = Z ] && left=$((left+1))
  done
  [ $left = 0 ] && echo none left && exit 0
  sleep 0.1
done
exit 1`
	if r := newPod(t, nil).run(nil, sh(script)...); r.exit != 0 {
		t.Errorf("zombies stay: %s%s", r.stdout, r.stderr)
	}
}

// TestAReportIsNotReadThroughALinkThatLeadsOut: not of a file, and not of a folder; one that stays inside is fine.
func TestAReportIsNotReadThroughALinkThatLeadsOut(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "out.xml"), []byte(green), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, script string
		total              int
	}{
		{"a file", "out.xml", "ln -sf " + outside + "/out.xml out.xml", 0},
		{"a folder", "results/out.xml", "ln -sfn " + outside + " results", 0},
		{"one inside", "inside.xml", "cp " + outside + "/out.xml real.xml; ln -sf real.xml inside.xml", 2},
	} {
		q := newPod(t, nil)
		r := q.run(junit(c.path), sh(c.script)...)
		if r.outcome.Counts.Total != c.total || (r.outcome.Reason == "") != (c.total > 0) {
			t.Errorf("%s: %+v", c.name, r.outcome)
		}
	}
}

func TestTheGatewayIsAskedAgain(t *testing.T) {
	t.Run("until it knows the pod", func(t *testing.T) {
		p := newPod(t, fstest.MapFS{"tests/a": {Data: []byte("a")}})
		p.answer(503, 401, 403)
		if r := p.run(nil, sh("cat tests/a")...); r.exit != 0 || r.stdout != "a" {
			t.Errorf("exit %d, %q, %s", r.exit, r.stdout, r.stderr)
		}
	})
	t.Run("not when it says that it never will", func(t *testing.T) {
		p := newPod(t, fstest.MapFS{"tests/a": {Data: []byte("a")}})
		p.answer(400)
		r := p.run(nil, sh("true")...)
		if r.exit != exitContentFailed || r.outcome.Reason != report.ReasonContentFailed {
			t.Errorf("exit %d, %+v", r.exit, r.outcome)
		}
	})
	t.Run("a tar that is not the content is fetched again", func(t *testing.T) {
		p := newPod(t, fstest.MapFS{"tests/a": {Data: []byte("a")}})
		p.answer(200)
		if r := p.run(nil, sh("cat tests/a")...); r.exit != 0 || r.stdout != "a" {
			t.Errorf("exit %d, %q, %s", r.exit, r.stdout, r.stderr)
		}
	})
}

func TestInstall(t *testing.T) {
	folder := t.TempDir()
	for range 2 { // over an older one too
		if err := install(folder); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode().Perm() != 0o755 || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		nil, {"frob"}, {"install"}, {"run"}, {"run", "--"}, {"run", "--nope", "--", "true"}, {"run", "--timeout=0s", "--", "true"},
		{"run", "--report-format=junit", "--", "true"}, {"run", "--content=sha256:x", "--", "true"},
	} {
		if code := do(args); code != exitUsage {
			t.Errorf("%q gives %d", args, code)
		}
	}
}
