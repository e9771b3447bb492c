// Command bench measures Assay as it is installed, beside bare pods of the same cluster, in
// one run: how long a push takes to its pending status and to its final one, what a run of
// one suite and of twenty costs beside the same pods created bare, what large runs cost beside as
// many bare pods under the same limit and in traffic to the API server, the memory of the
// controller, and what it uses while it polls a thousand repositories with nothing new. It
// stands on deploy/dev/cluster.sh and deploy/dev/install.sh.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/deploy/world"
)

func main() {
	rounds := flag.Int("rounds", 5, "How often each figure of pushes and runs is taken; the median is printed. 0 leaves them out.")
	many := flag.String("many", "100,300", "The sizes of large runs, which are set beside as many bare pods; empty leaves them out.")
	repositories := flag.Int("repositories", 1000, "How many repositories are polled; 0 leaves that out.")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute)
	defer cancel()
	if err := run(ctx, *rounds, *many, *repositories); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// figures are seconds, one for each round.
type figures struct{ pending, final, one, oneBare, twenty, twentyBare []float64 }

func run(ctx context.Context, rounds int, many string, repositories int) error {
	w, err := world.Connect()
	if err != nil {
		return err
	}
	name := "bench-" + strings.ToLower(rand.Text()[:6])
	if rounds > 0 {
		if err := measureRounds(ctx, w, name, rounds); err != nil {
			return err
		}
	}
	for _, size := range strings.FieldsFunc(many, func(r rune) bool { return r == ',' }) {
		count, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("-many: %w", err)
		}
		if err := measureMany(ctx, w, fmt.Sprintf("%s-%d", name, count), count); err != nil {
			return err
		}
	}
	if repositories > 0 {
		return measureRepositories(ctx, w, name+"-many", repositories)
	}
	return nil
}

// measureRounds prints how long pushes and runs take.
func measureRounds(ctx context.Context, w *world.World, name string, rounds int) (err error) {
	b, err := newBench(ctx, w, name)
	if err != nil {
		return err
	}
	defer func() {
		if removed := b.remove(); err == nil {
			err = removed
		}
	}()
	idle, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	var f figures
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		if err := b.round(ctx, round, &f); err != nil {
			return err
		}
	}
	busy, err := controllerUsage(ctx, w)
	if err != nil {
		return err
	}
	fmt.Printf("poll interval                            %8s\n", pollInterval)
	fmt.Printf("push to pending status                   %8.2f s\n", median(f.pending))
	fmt.Printf("push to final status, a suite of 0 s     %8.2f s\n", median(f.final))
	fmt.Printf("1 suite: run / bare pod                  %8.2f   (%.2f s / %.2f s)\n", median(f.one)/median(f.oneBare), median(f.one), median(f.oneBare))
	fmt.Printf("20 suites: run / 20 bare pods            %8.2f   (%.2f s / %.2f s)\n", median(f.twenty)/median(f.twentyBare), median(f.twenty), median(f.twentyBare))
	fmt.Printf("controller memory, before and after      %5.0f MiB, %.0f MiB\n", idle.memory, busy.memory)
	return nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
