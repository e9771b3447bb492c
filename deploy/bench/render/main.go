// Command render measures rendering beside the kustomize program of the same version, on one
// repository, in one run: a thousand suites in three environments, at first, at a commit that
// changes none of them, and at a commit that changes one. It needs no cluster.
//
// Ratios of processor time are what to look at: they hold on a busy machine as well.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

func main() {
	suites := flag.Int("suites", 1000, "How many suites the repository has; 1000 at most.")
	rounds := flag.Int("rounds", 5, "How often each figure is taken; the median is printed.")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *suites, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, suites, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "assay-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.RemoveAll(dir); err == nil {
			err = removed
		}
	}()
	fmt.Fprintln(os.Stderr, "building kustomize, committing", suites, "suites")
	program, version, err := buildKustomize(ctx, dir)
	if err != nil {
		return err
	}
	r, err := commit(dir+"/repository", suites)
	if err != nil {
		return err
	}
	var taken [4][]cost
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		ours, err := r.render(ctx, suites)
		if err != nil {
			return err
		}
		theirs, err := kustomizeBuilds(ctx, program, r.dir)
		if err != nil {
			return err
		}
		for i, c := range append(ours[:], theirs) {
			taken[i] = append(taken[i], c)
		}
	}
	print(version, suites, taken)
	return nil
}

func print(version string, suites int, taken [4][]cost) {
	base := median(taken[3])
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d suites, %d environments\tprocessor\telapsed\tof kustomize's processor\n", suites, len(environments))
	for i, name := range []string{"first commit", "commit without changes there", "commit that changes one suite", "kustomize build " + version + ", one process each"} {
		c := median(taken[i])
		fmt.Fprintf(w, "%s\t%s\t%s\t1/%.1f\n", name, short(c.processor), short(c.elapsed), float64(base.processor)/float64(max(c.processor, 1)))
	}
	_ = w.Flush()
}

func short(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
