// Package process starts daemons that outlive the CLI, finds all of their descendants again, and ends them. The record of
// who belongs to a group is a cgroup of the kernel, not a pid file: it survives crashes, can't be confused by reused pids,
// and holds the containers, too, since the kubelet is told to put its pods below the same cgroup.
package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// Group is a cgroup path such as "assay-10-207/demo", below every hierarchy that the machine has.
type Group string

// unified says whether the machine has only cgroup v2.
func unified() bool {
	_, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers"))
	return err == nil
}

// hierarchies are the mount points below which a group may have folders: one for v2, one a controller for v1, and often a
// v2 one without controllers beside those, in which runc leaves folders, too.
func hierarchies() []string {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	var found []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 2 && (fields[2] == "cgroup" || fields[2] == "cgroup2") {
			found = append(found, fields[1])
		}
	}
	return found
}

// Create makes the group in every hierarchy, ready to hold the kubelet's pods, and a child "system" for daemons.
func (g Group) Create() error {
	for _, root := range hierarchies() {
		path := root
		for _, part := range strings.Split(string(g), "/") {
			parent := path
			path = filepath.Join(path, part)
			if err := os.MkdirAll(path, 0o755); err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
			if err := inherit(parent, path); err != nil {
				return fmt.Errorf("cgroup %s: %w", path, err)
			}
		}
		if err := os.MkdirAll(filepath.Join(path, "system"), 0o755); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		if err := inherit(path, filepath.Join(path, "system")); err != nil {
			return fmt.Errorf("cgroup %s: %w", path, err)
		}
	}
	return nil
}

// inherit makes a new cgroup usable: v2 hands controllers down, v1 cpusets start empty.
func inherit(parent, child string) error {
	if unified() {
		controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
		if err != nil {
			return err
		}
		for _, controller := range strings.Fields(string(controllers)) {
			// A controller that can't be handed down is reported by the kubelet if it needs it.
			_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		}
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(child, file), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// system is the file through which a daemon joins the group. On v1 the pids hierarchy holds the record.
func (g Group) system() string {
	root := cgroupRoot
	if !unified() {
		root = filepath.Join(cgroupRoot, "pids")
	}
	return filepath.Join(root, string(g), "system", "cgroup.procs")
}

// Pids lists every live process of the group and the groups below it.
func (g Group) Pids() []int {
	var pids []int
	for _, root := range hierarchies() {
		_ = filepath.WalkDir(filepath.Join(root, string(g)), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "cgroup.procs" {
				return nil // a cgroup that has just gone has no processes
			}
			content, _ := os.ReadFile(path)
			for _, field := range strings.Fields(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 1 && pid != os.Getpid() {
					pids = append(pids, pid)
				}
			}
			return nil
		})
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// Kill ends every process of the group: SIGTERM to the daemons, SIGKILL to whatever lives after the grace period, and
// then the cgroups themselves are removed.
func (g Group) Kill(ctx context.Context, grace time.Duration) error {
	deadline := time.Now().Add(grace)
	if grace > 0 {
		g.signal(syscall.SIGTERM)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	giveUp := deadline.Add(20 * time.Second)
	seen := map[int]bool{}
	for {
		for _, pid := range g.Pids() {
			seen[pid] = true
		}
		// A dying process leaves its cgroup before it has let go of its memory, mounts and sockets.
		maps.DeleteFunc(seen, func(pid int, _ bool) bool { return gone(pid) })
		if len(seen) == 0 {
			return g.remove()
		}
		now := time.Now()
		if now.After(giveUp) {
			return fmt.Errorf("cgroup %s: processes %v do not end", g, slices.Sorted(maps.Keys(seen)))
		}
		if now.After(deadline) {
			g.signal(syscall.SIGKILL)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// gone says that a process has ended; one that only waits to be reaped has, too.
func gone(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func (g Group) signal(signal syscall.Signal) {
	for _, pid := range g.Pids() {
		_ = syscall.Kill(pid, signal)
	}
}

// remove deletes the group's folders, deepest first, and the parent when no other group is left in it.
func (g Group) remove() error {
	for _, root := range hierarchies() {
		var folders []string
		_ = filepath.WalkDir(filepath.Join(root, string(g)), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		slices.Reverse(folders)
		for _, folder := range folders {
			if err := retry(func() error { return os.Remove(folder) }); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove cgroup: %w", err)
			}
		}
		_ = os.Remove(filepath.Join(root, filepath.Dir(string(g))))
	}
	return nil
}

// retry is for EBUSY: the kernel needs a moment after the last process of a cgroup has been reaped.
func retry(remove func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for tries := 0; ; tries++ {
		err := remove()
		if !errors.Is(err, syscall.EBUSY) || tries == 100 {
			return err
		}
		<-tick.C
	}
}
