package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

// ending is how a command ended.
type ending struct {
	code            int
	reason, message string // as in report.Outcome
	started, ended  time.Time
	output          string // the end of standard output and error, secrets masked
}

// pipeGrace is how long to wait for output after the command's end: a process it left behind may hold the pipe open.
const pipeGrace = 2 * time.Second

// runCommand runs the command to its end, in a process group of its own. extra gets a copy of its standard output; it
// may be nil.
func runCommand(c config, deadline time.Time, signals <-chan os.Signal, extra io.Writer) ending {
	e := ending{started: time.Now()}
	path, err := lookUp(c.command[0], c.environment)
	if err != nil {
		return unstarted(e, c, err)
	}
	var ends struct{ stdout, stderr tail }
	out := &output{}
	stdout, stderr := out.to(os.Stdout, &ends.stdout, extra), out.to(os.Stderr, &ends.stderr, nil)
	defer out.close()

	process, err := os.StartProcess(path, c.command, &os.ProcAttr{
		Env:   withDefaults(c.environment),
		Files: []*os.File{nil, stdout, stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return unstarted(e, c, err)
	}
	out.started()

	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- reapUntil(process.Pid) }()
	status, timedOut, stopped := supervise(process.Pid, ended, deadline, c.grace, signals)
	e.ended = time.Now()
	_ = syscall.Kill(-process.Pid, syscall.SIGKILL) // what it left behind; usually there is nothing
	out.drain(pipeGrace)

	e.code = codeOf(status)
	mask := maskOf(c)
	e.output = endOf(ends.stdout.text(mask), ends.stderr.text(mask))
	switch {
	case timedOut:
		e.reason, e.message = report.ReasonTimedOut, fmt.Sprintf("it ran longer than its timeout of %s", c.timeout)
	case stopped:
		e.reason, e.message = report.ReasonEvicted, "the pod was stopped while the command ran"
	}
	return e
}

// supervise waits for the end of the process and keeps the deadline; a signal to us goes on to its group.
func supervise(pid int, ended <-chan syscall.WaitStatus, deadline time.Time, grace time.Duration, signals <-chan os.Signal) (status syscall.WaitStatus, timedOut, stopped bool) {
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	var kill <-chan time.Time
	stop := func(s syscall.Signal) {
		_ = syscall.Kill(-pid, s) // it may have ended already
		if kill == nil {
			kill = time.After(grace)
		}
	}
	for {
		select {
		case status = <-ended:
			return status, timedOut, stopped
		case <-timeout.C:
			say("the timeout is over: SIGTERM, and SIGKILL in %s", grace)
			timedOut = !stopped
			stop(syscall.SIGTERM)
		case s := <-signals:
			stopped = !timedOut
			stop(s.(syscall.Signal))
		case <-kill:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
}

// reapUntil waits for the process. As process 1 of the container it also inherits and reaps whatever that leaves behind.
func reapUntil(pid int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // somebody else reaped it; there is nobody else
			return syscall.WaitStatus(255 << 8)
		case got == pid && (status.Exited() || status.Signaled()):
			return status
		}
	}
}

func codeOf(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
