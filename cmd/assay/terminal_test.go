//go:build apiserver && linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// terminal gives a pseudo-terminal of 60 columns, and what appears on it.
func terminal(t *testing.T) (*os.File, *screen) {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(outside.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(outside.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(outside.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60})
	}
	if err != nil {
		t.Fatal(err)
	}
	inside, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	shown := newScreen()
	go func() { _, _ = io.Copy(shown, outside) }() // ends with the terminal
	t.Cleanup(func() {
		_ = inside.Close()
		_ = outside.Close()
	})
	return inside, shown
}

func (s *server) onTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	tty, shown := terminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan int, 1)
	go func() {
		done <- execute(ctx, newRootCommand(), []string{"run", "shop", "-e", "staging", "--kubeconfig", s.kubeconfig, "-n", s.namespace}, io.Discard, tty)
	}()
	shown.waitFor(t, "\x1b[90mPending  \x1b[0m  shop-staging-11111111-")
	s.play(t, v1alpha1.TestRunStatus{State: v1alpha1.StateRunning, StartTime: at(0), Suites: []v1alpha1.SuiteStatus{{Name: "checkout", State: v1alpha1.StateRunning}}})
	shown.waitFor(t, "\x1b[1A\r\x1b[J\x1b[34mRunning  \x1b[0m  shop-staging-11111111-")
	shown.waitFor(t, "\x1b[2A\r\x1b[J") // a tick, without a change
	s.play(t, v1alpha1.TestRunStatus{State: v1alpha1.StatePassed, Message: "1 suite passed"})
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
	shown.waitFor(t, "\x1b[32mPassed   \x1b[0m  shop-staging-11111111-")
	for line := range strings.SplitSeq(shown.String(), "\n") {
		if strings.Contains(line, "waiting for the controller") {
			t.Errorf("a line is not cut to the terminal: %q", line)
		}
	}
}
