package main

import (
	"cmp"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// cost is what something took: time of processors, and time.
type cost struct{ processor, elapsed time.Duration }

// measure gives the cost of f in this process, the garbage that it makes included as far as it
// is collected meanwhile.
func measure(f func() error) (cost, error) {
	before, start := processor(), time.Now()
	err := f()
	return cost{processor() - before, time.Since(start)}, err
}

// processor is the time of processors that this process took.
func processor() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(costs []cost) cost {
	middle := func(of func(cost) time.Duration) time.Duration {
		all := make([]time.Duration, len(costs))
		for i, c := range costs {
			all[i] = of(c)
		}
		slices.SortFunc(all, func(a, b time.Duration) int { return cmp.Compare(a, b) })
		return all[len(all)/2]
	}
	return cost{middle(func(c cost) time.Duration { return c.processor }), middle(func(c cost) time.Duration { return c.elapsed })}
}
