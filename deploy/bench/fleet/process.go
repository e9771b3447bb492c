package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// cost is what a process took, with those that it started and waited for.
type cost struct {
	Wall, CPU time.Duration
	// Memory is the most that one process had at once, in bytes, and not less than this
	// process has: Linux counts it as theirs until they run their own program.
	Memory int64
}

func (c cost) and(d cost) cost {
	return cost{c.Wall + d.Wall, c.CPU + d.CPU, max(c.Memory, d.Memory)}
}

// command runs a command, and gives what it printed and took.
func command(ctx context.Context, env []string, name string, args ...string) ([]byte, cost, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	begun := time.Now()
	out, err := cmd.Output()
	wall := time.Since(begun)
	if err != nil {
		return nil, cost{}, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, errs.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return out, cost{wall, cpu(usage), usage.Maxrss << 10}, nil
}

// part runs a part of this program in a process of its own, and gives its result and what it
// took.
func part(ctx context.Context, result any, args ...string) (cost, error) {
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	out, took, err := command(ctx, os.Environ(), self, args...)
	if err != nil {
		return took, err
	}
	return took, json.Unmarshal(out, result)
}

func cpu(u *syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ownCPU() time.Duration { return usage(syscall.RUSAGE_SELF) }

func childrenCPU() time.Duration { return usage(syscall.RUSAGE_CHILDREN) }

func usage(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u) // fails for nobody who may run
	return cpu(&u)
}

// gitEnv keeps the configuration of whoever measures out.
func gitEnv(more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
	}, more...)
}

// ownMemory is the most that this process had at once.
func ownMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	_, err = fmt.Sscanf(rest, "%d", &kilobytes)
	return kilobytes << 10, err
}
