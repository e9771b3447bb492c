// Package slots shares the places of environments out among runs.
//
// In: how many pods an environment may have and has, and what runs ask for. Out: how many a run may start, and which
// runs to look at when places are free: turn and turn about between namespaces, in each those that wait longest first,
// and schedules after all others for a while, since nobody waits for them. It knows neither pods nor clients; all of it
// is in memory, and a controller that starts again is told anew by the runs that it looks at.
package slots

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// forgotten is how long a run may wait without being looked at, before it holds up others no more. Runs that wait are
// looked at every minute.
const forgotten = 3 * time.Minute

// Table keeps who waits for a place of which environment. Its methods can be called concurrently, and environments do
// not hold each other up.
type Table struct {
	now func() time.Time

	mu           sync.Mutex
	environments map[string]*environment
}

// environment has a lock of its own: counting its pods may take a moment.
type environment struct {
	mu      sync.Mutex
	limit   int
	held    map[types.NamespacedName]int
	waiting map[types.NamespacedName]claim
}

// New gives an empty table. now is its clock; nil means time.Now.
func New(now func() time.Time) *Table {
	if now == nil {
		now = time.Now
	}
	return &Table{now: now, environments: map[string]*environment{}}
}

// Places are those of an environment.
type Places struct {
	Environment string
	// Limit is how many pods it may have, and Used says how many it has.
	Limit int
	Used  Used
}

// Used counts the pods of an environment that were started and have not ended, by the namespace of their run.
type Used func() (map[string]int, error)

// Reserve gives the run up to want of the places that are free and for which nobody waits who comes first. They are
// kept for it until release is called, by when what it started has to be among those that Used counts. A run that gets
// less waits for the rest, until it asks again or withdraws.
func (t *Table) Reserve(run *v1alpha1.TestRun, places Places, want int) (granted int, release func(), err error) {
	key := types.NamespacedName{Namespace: run.Namespace, Name: run.Name}
	e := t.environment(places.Environment)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.limit = places.Limit
	if want <= 0 {
		delete(e.waiting, key)
		return 0, func() {}, nil
	}
	used, err := places.Used()
	if err != nil {
		return 0, nil, err
	}
	now := t.now()
	e.waiting[key] = claim{
		run: key, schedule: run.Spec.Cause.Type == v1alpha1.CauseSchedule, since: run.CreationTimestamp.Time, want: want, asked: now,
	}
	for _, s := range e.deal(used, now) {
		if s.run == key {
			granted = s.places
		}
	}
	if mine := e.waiting[key]; granted == want {
		delete(e.waiting, key)
	} else {
		mine.want -= granted
		e.waiting[key] = mine
	}
	e.held[key] += granted
	return granted, func() { e.release(key, granted) }, nil
}

func (e *environment) release(key types.NamespacedName, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held[key] -= n; e.held[key] <= 0 {
		delete(e.held, key)
	}
}

// deal shares out the places that neither a pod has nor a run holds. Who was not looked at for long waits no more.
func (e *environment) deal(used map[string]int, now time.Time) []share {
	free, has := e.limit, map[string]int{}
	for namespace, n := range used {
		free -= n
		has[namespace] += n
	}
	for run, n := range e.held {
		free -= n
		has[run.Namespace] += n
	}
	maps.DeleteFunc(e.waiting, func(_ types.NamespacedName, c claim) bool { return now.Sub(c.asked) >= forgotten })
	return deal(free, slices.Collect(maps.Values(e.waiting)), has, now)
}

// Withdraw lets the run wait for no place: it has ended, or cannot use one now.
func (t *Table) Withdraw(run types.NamespacedName) {
	for _, e := range t.all() {
		e.mu.Lock()
		delete(e.waiting, run)
		e.mu.Unlock()
	}
}

// Next gives the runs that would get a place of the environment now, in their order; used counts its pods.
func (t *Table) Next(environment string, used Used) ([]types.NamespacedName, error) {
	e := t.environment(environment)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == 0 {
		return nil, nil
	}
	n, err := used()
	if err != nil {
		return nil, err
	}
	var next []types.NamespacedName
	for _, s := range e.deal(n, t.now()) {
		next = append(next, s.run)
	}
	return next, nil
}

func (t *Table) environment(name string) *environment {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.environments[name]
	if e == nil {
		e = &environment{held: map[types.NamespacedName]int{}, waiting: map[types.NamespacedName]claim{}}
		t.environments[name] = e
	}
	return e
}

func (t *Table) all() []*environment {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*environment, 0, len(t.environments))
	for _, e := range t.environments {
		all = append(all, e)
	}
	return all
}
