package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

// pipeGrace is how long the command's children may keep its output open after its end.
const pipeGrace = 5 * time.Second

// ended is how a command ended.
type ended struct {
	// ran is false when it could not be started.
	ran bool
	// exitCode of the command, 128 + n when signal n ended it.
	exitCode int
	// reason and message as in report.Outcome.
	reason, message string
}

// exit is the exit code of assay-exec.
func (e ended) exit() int {
	if e.reason == report.ReasonTimedOut {
		return exitTimedOut
	}
	return e.exitCode
}

// runCommand runs the command to its end, or stops it at the timeout or when told to. Its
// output is seen in the pod's log, and kept in the tail and the spool.
func runCommand(o options, spool *spool, tail *tail, stop <-chan os.Signal) ended {
	path, err := exec.LookPath(o.command[0])
	if err != nil {
		return cannot(o.command[0], err)
	}
	var shared sync.Mutex // both outputs go into one tail
	cmd := exec.Command(path, o.command[1:]...)
	cmd.Args[0] = o.command[0]
	cmd.Stdout = outputs(&shared, os.Stdout, tail, spool)
	cmd.Stderr = outputs(&shared, os.Stderr, tail, nil)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = pipeGrace
	if err := cmd.Start(); err != nil {
		return cannot(o.command[0], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	reason, message := watch(o, cmd.Process.Pid, done, stop)
	// Whatever the command left running has nothing more to test.
	signalGroup(cmd.Process.Pid, syscall.SIGKILL)
	return ended{ran: true, exitCode: exitCode(cmd.ProcessState), reason: reason, message: message}
}

// watch waits for the end and brings it about where needed: SIGTERM, and SIGKILL after the grace.
func watch(o options, pid int, done <-chan error, stop <-chan os.Signal) (reason, message string) {
	timeout := time.NewTimer(o.timeout)
	defer timeout.Stop()
	select {
	case <-done:
		return "", ""
	case <-timeout.C:
		reason, message = report.ReasonTimedOut, fmt.Sprintf("it ran longer than its timeout of %s", o.timeout)
	case <-stop:
		reason, message = report.ReasonEvicted, "the pod was stopped while the command ran"
	}
	signalGroup(pid, syscall.SIGTERM)
	grace := time.NewTimer(o.grace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		signalGroup(pid, syscall.SIGKILL)
		<-done
	}
	return reason, message
}

// signalGroup reaches the command and its children; a group that is gone is what was wanted.
func signalGroup(pid int, signal syscall.Signal) { _ = syscall.Kill(-pid, signal) }

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func cannot(name string, err error) ended {
	e := ended{exitCode: exitCannot, reason: report.ReasonCommandNotFound, message: fmt.Sprintf("the command %q cannot be run: %v", name, errors.Unwrap(err))}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		e.exitCode, e.message = exitNotFound, fmt.Sprintf("the command %q is not in the image", name)
	}
	return e
}

func outputs(shared *sync.Mutex, log io.Writer, tail *tail, spool *spool) io.Writer {
	to := []io.Writer{log, &locked{shared, tail}}
	if spool != nil {
		to = append(to, spool)
	}
	return io.MultiWriter(to...)
}

// locked makes a writer safe to share.
type locked struct {
	mutex *sync.Mutex
	io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.Writer.Write(p)
}
