// Command fleet measures what Assay costs those who host and run it when it looks after many
// repositories and big ones, beside the git command doing the same against the same server in
// the same run. It needs git and no cluster.
//
//   - polls: a round over many repositories in which nothing is new, beside git ls-remote;
//   - refs: one poll of a repository with many refs, in each version of the protocol;
//   - tree: the files of tests/ of a big repository, beside a partial, sparse clone.
//
// The server is Git's own http-backend behind https on the loopback, in a process of its own,
// so that what it uses is counted apart.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// sizes of what is generated. The defaults are what the figures in docs/decisions were taken
// with.
type sizes struct {
	Repositories int // of a fleet
	Refs         int // of one repository
	Files        int // of the big repository
	Megabytes    int // of its history, which does not compress
	Rounds       int // of which the median counts
}

func main() {
	var s sizes
	flag.IntVar(&s.Repositories, "repositories", 1000, "How many repositories are polled.")
	flag.IntVar(&s.Refs, "refs", 50_000, "How many refs the repository with many has.")
	flag.IntVar(&s.Files, "files", 100_000, "How many files the big repository has.")
	flag.IntVar(&s.Megabytes, "megabytes", 500, "How big its history is.")
	flag.IntVar(&s.Rounds, "rounds", 3, "How often the tree is read; the median counts.")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, s, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// run measures; with arguments it is one of the processes that this starts of itself.
func run(ctx context.Context, s sizes, args []string) error {
	if len(args) == 0 {
		return measure(ctx, s)
	}
	parts := map[string]func(context.Context, []string) (any, error){"serve": serve, "polls": polls, "refs": refs, "generate": generate, "tree": tree}
	part, ok := parts[args[0]]
	if !ok {
		return fmt.Errorf("no part %q", args[0])
	}
	result, err := part(ctx, args[1:])
	if err != nil || result == nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func measure(ctx context.Context, s sizes) error {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	server, err := startServer(ctx, dir)
	if err != nil {
		return err
	}
	defer server.stop()
	for _, part := range []func(context.Context, sizes) error{server.measurePolls, server.measureRefs, server.measureTree} {
		if err := part(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
