package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/assay-dev/assay/sync/git"
)

// poll is what one poll took.
type poll struct {
	Wall, CPU   time.Duration
	Allocations uint64
	Allocated   uint64 // bytes
	Server      used
}

// measureRefs polls a repository with many refs, all of its branches and then only one.
func (s *server) measureRefs(ctx context.Context, size sizes) error {
	dir := filepath.Join(s.dir, "refs.git")
	if err := initRepository(ctx, dir); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("commit refs/heads/main\ncommitter a <a@example.org> 1700000000 +0000\ndata 1\nm\nM 644 inline tests/a\ndata 1\na\n\n")
	for i := range size.Refs - 1 {
		fmt.Fprintf(&b, "reset refs/heads/team-%d/a-branch-with-a-name-%d\nfrom refs/heads/main\n\n", i%100, i)
	}
	if err := fastImport(ctx, dir, strings.NewReader(b.String())); err != nil {
		return err
	}
	if _, _, err := command(ctx, gitEnv(), "git", "-C", dir, "pack-refs", "--all"); err != nil {
		return err
	}
	var ours []poll
	if _, err := part(ctx, &ours, "refs", s.url, s.ca); err != nil {
		return err
	}
	fmt.Printf("one poll of a repository with %d branches\n", size.Refs)
	fmt.Printf("  %-30s %8s %8s %8s %9s %8s %11s\n", "", "wall ms", "CPU ms", "KB sent", "allocs", "alloc KB", "server CPU")
	for i, p := range ours {
		fmt.Printf("  %-30s %8d %8d %8d %9d %8d %8d ms\n", refsPolls[i].name, p.Wall.Milliseconds(), p.CPU.Milliseconds(), p.Server.Sent>>10, p.Allocations, p.Allocated>>10, p.Server.CPU.Milliseconds())
	}
	for _, patterns := range [][]string{{"refs/heads/*"}, {"--symref", "HEAD"}} {
		before, err := s.used(ctx)
		if err != nil {
			return err
		}
		args := append([]string{"ls-remote"}, patterns[:len(patterns)-1]...)
		_, took, err := command(ctx, gitEnv("GIT_SSL_CAINFO="+s.ca), "git", append(args, s.url+"/refs.git", patterns[len(patterns)-1])...)
		if err != nil {
			return err
		}
		after, err := s.used(ctx)
		if err != nil {
			return err
		}
		u := after.since(before)
		fmt.Printf("  %-30s %8d %8d %8d %9s %8s %8d ms\n", "git ls-remote "+patterns[len(patterns)-1], took.Wall.Milliseconds(), took.CPU.Milliseconds(), u.Sent>>10, "", "", u.CPU.Milliseconds())
	}
	fmt.Println()
	return nil
}

// refsPolls are the polls that are measured, each in the process of those before it.
var refsPolls = []struct {
	name, path string
	prefixes   []string
}{
	{"version 0", "v0/refs.git", []string{git.Branches}},
	{"version 2, first", "refs.git", []string{git.Branches}},
	{"version 2, nothing new", "refs.git", []string{git.Branches}},
	{"version 2, default branch", "refs.git", nil},
	{"the same, nothing new", "refs.git", nil},
}

func refs(ctx context.Context, args []string) (any, error) {
	s, err := attach(args[0], args[1])
	if err != nil {
		return nil, err
	}
	client := git.New(git.Options{Reach: loopback()})
	// The connection and the machinery of TLS are there before the first poll that counts.
	e, err := endpoint(args[0], args[1], fleetName(0))
	if err != nil {
		return nil, err
	}
	if _, err := client.Refs(ctx, e); err != nil {
		return nil, err
	}
	var all []poll
	for _, p := range refsPolls {
		if e, err = endpoint(args[0], args[1], p.path); err != nil {
			return nil, err
		}
		took, err := s.poll(ctx, client, e, p.prefixes)
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	return all, nil
}

func (s *server) poll(ctx context.Context, client *git.Client, e git.Endpoint, prefixes []string) (poll, error) {
	before, err := s.used(ctx)
	if err != nil {
		return poll{}, err
	}
	var m, n runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	cpuBefore, begun := ownCPU(), time.Now()
	if _, err := client.Refs(ctx, e, prefixes...); err != nil {
		return poll{}, err
	}
	p := poll{Wall: time.Since(begun), CPU: ownCPU() - cpuBefore}
	runtime.ReadMemStats(&n)
	p.Allocations, p.Allocated = n.Mallocs-m.Mallocs, n.TotalAlloc-m.TotalAlloc
	after, err := s.used(ctx)
	p.Server = after.since(before)
	return p, err
}
