package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/assay-dev/assay/sync/git"
)

// measureTree reads the files of tests/ of a big repository, each time from nothing.
func (s *server) measureTree(ctx context.Context, size sizes) error {
	begun := time.Now()
	// Not in this process: those it starts count its memory as theirs until they are themselves.
	if _, err := part(ctx, new(any), "generate", s.dir, strconv.Itoa(size.Files), strconv.Itoa(size.Megabytes)); err != nil {
		return err
	}
	fmt.Printf("the files of tests/ of a repository with %d files and %d MB of history (made in %.0f s)\n", size.Files, size.Megabytes, time.Since(begun).Seconds())
	fmt.Printf("  %-24s %9s %9s %9s %9s %9s %11s\n", "", "wall s", "CPU s", "memory MB", "requests", "KB sent", "server CPU")
	show := func(name string, measured func(round int) (cost, error)) (cost, error) {
		before, err := s.used(ctx)
		if err != nil {
			return cost{}, err
		}
		var all []cost
		for i := range size.Rounds {
			c, err := measured(i)
			if err != nil {
				return c, err
			}
			all = append(all, c)
		}
		after, err := s.used(ctx)
		u, n := after.since(before), int64(size.Rounds)
		slices.SortFunc(all, func(a, b cost) int { return int(a.Wall - b.Wall) })
		c := all[len(all)/2]
		fmt.Printf("  %-24s %9.2f %9.2f %9d %9d %9d %11.2f\n", name, c.Wall.Seconds(), c.CPU.Seconds(), c.Memory>>20, u.Requests/n, u.Sent/n>>10, u.CPU.Seconds()/float64(n))
		return c, err
	}
	ours, err := show("assay", func(int) (cost, error) {
		var r reading
		c, err := part(ctx, &r, "tree", s.url, s.ca)
		if c.Memory = r.Memory; err == nil && r.Files != testFiles {
			err = fmt.Errorf("%d files instead of %d", r.Files, testFiles)
		}
		return c, err
	})
	if err != nil {
		return err
	}
	theirs, err := show("git clone, sparse", func(i int) (cost, error) {
		return s.sparseClone(ctx, filepath.Join(s.dir, "clone"+strconv.Itoa(i)))
	})
	if err != nil {
		return err
	}
	fmt.Printf("  time, assay / git        %9.2f\n", ours.Wall.Seconds()/theirs.Wall.Seconds())
	fmt.Printf("  CPU, assay / git         %9.2f\n", ours.CPU.Seconds()/theirs.CPU.Seconds())
	return nil
}

// sparseClone is the least that git can do for the same files.
func (s *server) sparseClone(ctx context.Context, dir string) (cost, error) {
	env := gitEnv("GIT_SSL_CAINFO=" + s.ca)
	_, cloned, err := command(ctx, env, "git", "clone", "-q", "--depth", "1", "--filter=blob:none", "--sparse", s.url+"/big.git", dir)
	if err != nil {
		return cost{}, err
	}
	_, set, err := command(ctx, env, "git", "-C", dir, "sparse-checkout", "set", "tests")
	if err != nil {
		return cost{}, err
	}
	found, err := os.ReadDir(filepath.Join(dir, "tests"))
	if err == nil && len(found) != testFiles {
		err = fmt.Errorf("%d files instead of %d", len(found), testFiles)
	}
	return cloned.and(set), errors.Join(err, os.RemoveAll(dir))
}

// reading is what came of reading the files.
type reading struct {
	Files  int
	Memory int64 // bytes, at most at once
}

// tree is the process that reads the files with Assay.
func tree(ctx context.Context, args []string) (any, error) {
	e, err := endpoint(args[0], args[1], "big.git")
	if err != nil {
		return nil, err
	}
	client := git.New(git.Options{Reach: loopback()})
	refs, err := client.Refs(ctx, e)
	if err != nil {
		return nil, err
	}
	files, err := client.Tree(ctx, e, refs.Hashes[refs.Default], "tests")
	if err != nil {
		return nil, err
	}
	var r reading
	err = fs.WalkDir(files, "tests", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r.Files++
		_, err = fs.ReadFile(files, path)
		return err
	})
	if err == nil {
		r.Memory, err = ownMemory()
	}
	return r, err
}
