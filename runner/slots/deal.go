package slots

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// late is how long a schedule comes after all others. Nobody waits for it, but it is not to wait for ever where others
// come all the time.
const late = 30 * time.Minute

// claim is what a run waits for.
type claim struct {
	run      types.NamespacedName
	schedule bool
	since    time.Time
	want     int
	asked    time.Time
}

// turn is 0 for those that come first, and 1 for the others.
func (c claim) turn(now time.Time) int {
	if c.schedule && now.Sub(c.since) < late {
		return 1
	}
	return 0
}

// before says whether a comes before b of the same turn and namespace.
func before(a, b claim) int {
	return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.run.String(), b.run.String()))
}

// share is what a run gets.
type share struct {
	run    types.NamespacedName
	places int
}

// deal shares free places out: one after the other to the namespace that has fewest by then, so that the runs of one
// team hold back no other's, and there to the run that waits longest. has is how many places each namespace has; it is
// counted on. The shares are in the order in which the runs got their first.
func deal(free int, claims []claim, has map[string]int, now time.Time) []share {
	var shares []share
	for turn := range 2 {
		queues := map[string][]claim{}
		for _, c := range claims {
			if c.turn(now) == turn {
				queues[c.run.Namespace] = append(queues[c.run.Namespace], c)
			}
		}
		for _, queue := range queues {
			slices.SortFunc(queue, before)
		}
		for ; free > 0 && len(queues) > 0; free-- {
			namespace := poorest(queues, has)
			queue := queues[namespace]
			shares = give(shares, queue[0].run)
			has[namespace]++
			if queue[0].want--; queue[0].want <= 0 {
				queue = queue[1:]
			}
			if queues[namespace] = queue; len(queue) == 0 {
				delete(queues, namespace)
			}
		}
	}
	return shares
}

// poorest gives the namespace that is next: of those that have fewest places, the one whose run waits longest.
func poorest(queues map[string][]claim, has map[string]int) string {
	next := ""
	for namespace, queue := range queues {
		if next == "" || cmp.Or(cmp.Compare(has[namespace], has[next]), before(queue[0], queues[next][0])) < 0 {
			next = namespace
		}
	}
	return next
}

func give(shares []share, run types.NamespacedName) []share {
	i := slices.IndexFunc(shares, func(s share) bool { return s.run == run })
	if i < 0 {
		i, shares = len(shares), append(shares, share{run: run})
	}
	shares[i].places++
	return shares
}
