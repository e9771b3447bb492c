package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Daemon is a process that outlives the CLI.
type Daemon struct {
	Name  string
	Args  []string // the command line, binary first
	Enter []string // prefix that puts it into a namespace; it must exec, not fork
	Env   []string // nil means the CLI's own environment
	User  uint32   // 0 runs as root
	Log   string   // file that gets stdout and stderr, appended
	Pid   string   // file that gets the pid; only a hint of which daemon is which, the group is the record
}

// Start runs the daemon in the group's "system" cgroup and returns once it has joined, not once it works.
func (g Group) Start(d Daemon) error {
	log, err := os.OpenFile(d.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	defer log.Close()
	// The shell joins the cgroup before the daemon exists, so that no child of it can escape.
	line := append([]string{"-c", `echo $$ > "$0" && exec "$@"`, g.system()}, d.Enter...)
	if d.User != 0 {
		user := strconv.FormatUint(uint64(d.User), 10)
		line = append(line, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs")
	}
	command := exec.Command("/bin/sh", append(line, d.Args...)...)
	command.Stdout, command.Stderr, command.Env, command.Dir = log, log, d.Env, "/"
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	if err := os.WriteFile(d.Pid, []byte(strconv.Itoa(command.Process.Pid)), 0o644); err != nil {
		return err
	}
	return g.awaitJoin(command, d)
}

// awaitJoin waits until the daemon is in the group: before that, Alive and Kill would not see it.
func (g Group) awaitJoin(command *exec.Cmd, d Daemon) error {
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }() // also reaps a daemon that ends while the CLI still runs
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !g.Alive(d.Pid) {
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended at once (%v): see %s", d.Name, err, d.Log)
		case <-tick.C:
		}
	}
	return nil
}

// Alive says whether the daemon whose pid file this is still runs in this group.
func (g Group) Alive(pidFile string) bool {
	content, err := os.ReadFile(pidFile)
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || gone(pid) {
		return false
	}
	cgroups, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	return err == nil && strings.Contains(string(cgroups), "/"+string(g)+"/system")
}
