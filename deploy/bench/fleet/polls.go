package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/sync/git"
)

// atOnce is how many repositories are polled at the same time, as the controller does.
const atOnce = 8

// measurePolls polls every repository of a fleet in which nothing is new.
func (s *server) measurePolls(ctx context.Context, size sizes) error {
	if err := s.generateFleet(ctx, size.Repositories); err != nil {
		return err
	}
	var ours round
	if _, err := part(ctx, &ours, "polls", s.url, s.ca, strconv.Itoa(size.Repositories)); err != nil {
		return err
	}
	before, err := s.used(ctx)
	if err != nil {
		return err
	}
	cpuBefore, begun := childrenCPU(), time.Now()
	env := gitEnv("GIT_SSL_CAINFO=" + s.ca)
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i := range size.Repositories {
		all.Go(func() error {
			_, _, err := command(ctx, env, "git", "ls-remote", "--symref", s.url+"/"+fleetName(i), "HEAD")
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	theirs := round{Wall: time.Since(begun), CPU: childrenCPU() - cpuBefore}
	after, err := s.used(ctx)
	if err != nil {
		return err
	}
	theirs.Server = after.since(before)
	fmt.Printf("a poll of %d repositories that finds nothing new\n", size.Repositories)
	fmt.Printf("  %-24s %9s %9s %9s %9s %11s\n", "", "CPU s", "wall s", "requests", "KB", "server CPU")
	for i, r := range []round{ours, theirs} {
		fmt.Printf("  %-24s %9.2f %9.2f %9d %9d %11.2f\n", [...]string{"assay", "git ls-remote"}[i], r.CPU.Seconds(), r.Wall.Seconds(), r.Server.Requests, r.Server.Sent>>10, r.Server.CPU.Seconds())
	}
	fmt.Printf("  CPU, assay / git         %9.3f\n\n", ours.CPU.Seconds()/theirs.CPU.Seconds())
	return nil
}

// round is what polling all repositories once took.
type round struct {
	Wall, CPU time.Duration
	Server    used
}

// polls is the process that polls as the controller does: once to learn, and once to measure.
func polls(ctx context.Context, args []string) (any, error) {
	url, ca := args[0], args[1]
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, err
	}
	s, err := attach(url, ca)
	if err != nil {
		return nil, err
	}
	client := git.New(git.Options{Reach: loopback()})
	poll := func() error {
		var all errgroup.Group
		all.SetLimit(atOnce)
		for i := range n {
			all.Go(func() error {
				e, err := endpoint(url, ca, fleetName(i))
				if err != nil {
					return err
				}
				refs, err := client.Refs(ctx, e)
				if err == nil && refs.Hashes[refs.Default] == "" {
					err = fmt.Errorf("%q has no default branch", e.URL)
				}
				return err
			})
		}
		return all.Wait()
	}
	if err := poll(); err != nil {
		return nil, err
	}
	before, err := s.used(ctx)
	if err != nil {
		return nil, err
	}
	cpuBefore, begun := ownCPU(), time.Now()
	if err := poll(); err != nil {
		return nil, err
	}
	r := round{Wall: time.Since(begun), CPU: ownCPU() - cpuBefore}
	after, err := s.used(ctx)
	r.Server = after.since(before)
	return r, err
}

func fleetName(i int) string { return fmt.Sprintf("fleet/%d.git", i) }

// generateFleet makes repositories with a few branches each.
func (s *server) generateFleet(ctx context.Context, n int) error {
	template := filepath.Join(s.dir, "template.git")
	if err := initRepository(ctx, template); err != nil {
		return err
	}
	commit := "commit refs/heads/main\ncommitter a <a@example.org> 1700000000 +0000\ndata 1\nm\nM 644 inline tests/a\ndata 1\na\n\n"
	for i := range 10 {
		commit += fmt.Sprintf("reset refs/heads/b%d\nfrom refs/heads/main\n\n", i)
	}
	if err := fastImport(ctx, template, strings.NewReader(commit)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "fleet"), 0o755); err != nil {
		return err
	}
	for i := range n {
		if err := os.CopyFS(filepath.Join(s.dir, fleetName(i)), os.DirFS(template)); err != nil {
			return err
		}
	}
	return nil
}
