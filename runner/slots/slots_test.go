package slots_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/slots"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func run(name string, cause v1alpha1.CauseType, minute int) *v1alpha1.TestRun {
	r := &v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name,
		CreationTimestamp: metav1.NewTime(noon.Add(time.Duration(minute) * time.Minute))}}
	r.Spec.Cause.Type = cause
	return r
}

// house is an environment of three places.
type house struct {
	*testing.T
	table *slots.Table
	now   time.Time
	pods  int
}

func newHouse(t *testing.T) *house {
	h := &house{T: t, now: noon}
	h.table = slots.New(func() time.Time { return h.now })
	return h
}

func (h *house) used() (map[string]int, error) { return map[string]int{"shop": h.pods}, nil }

// takes asks for places, and has a pod in each that it gets.
func (h *house) takes(r *v1alpha1.TestRun, want int) int {
	h.Helper()
	n, release, err := h.table.Reserve(r, slots.Places{Environment: "staging", Limit: 3, Used: h.used}, want)
	if err != nil {
		h.Fatal(err)
	}
	h.pods += n
	release()
	return n
}

func (h *house) next() (names []string) {
	h.Helper()
	next, err := h.table.Next("staging", h.used)
	if err != nil {
		h.Fatal(err)
	}
	for _, n := range next {
		names = append(names, n.Name)
	}
	return names
}

func TestOrder(t *testing.T) {
	h := newHouse(t)
	nightly, old, young := run("nightly", v1alpha1.CauseSchedule, 0), run("old", v1alpha1.CausePullRequest, 1), run("young", v1alpha1.CausePush, 2)
	if got := h.takes(nightly, 5); got != 3 {
		t.Fatalf("the first gets %d", got)
	}
	for _, r := range []*v1alpha1.TestRun{young, old} {
		if got := h.takes(r, 2); got != 0 {
			t.Fatalf("%s gets %d of no place", r.Name, got)
		}
	}
	if got := h.next(); got != nil {
		t.Errorf("no place is free, and %q are next", got)
	}
	h.pods--
	if got := h.next(); !slices.Equal(got, []string{"old"}) {
		t.Errorf("next are %q", got)
	}
	if got := h.takes(young, 2); got != 0 {
		t.Errorf("young gets %d before old", got)
	}
	h.pods = 0
	if got := h.next(); !slices.Equal(got, []string{"old", "young"}) {
		t.Errorf("next are %q", got)
	}
	if old, nightly, young := h.takes(old, 2), h.takes(nightly, 2), h.takes(young, 2); old != 2 || nightly != 0 || young != 1 {
		t.Errorf("old gets %d, the schedule %d, young %d", old, nightly, young)
	}
}

// TestWhoWithdrawsHoldsUpNobody, nor does one that nobody looks at any more.
func TestWhoWithdrawsHoldsUpNobody(t *testing.T) {
	for name, leave := range map[string]func(h *house, old *v1alpha1.TestRun){
		"withdraws": func(h *house, old *v1alpha1.TestRun) {
			h.table.Withdraw(types.NamespacedName{Namespace: old.Namespace, Name: old.Name})
		},
		"wants none":   func(h *house, old *v1alpha1.TestRun) { h.takes(old, 0) },
		"is forgotten": func(h *house, _ *v1alpha1.TestRun) { h.now = h.now.Add(time.Hour) },
	} {
		h := newHouse(t)
		old, young := run("old", v1alpha1.CausePush, 1), run("young", v1alpha1.CausePush, 2)
		h.pods = 3
		h.takes(old, 3)
		leave(h, old)
		h.pods = 2
		if got := h.takes(young, 1); got != 1 {
			t.Errorf("old %s, and young gets %d", name, got)
		}
	}
}

// TestHeldPlacesAreKept: between being granted and being used, a place is nobody else's.
func TestHeldPlacesAreKept(t *testing.T) {
	h := newHouse(t)
	places := slots.Places{Environment: "staging", Limit: 3, Used: h.used}
	n, release, err := h.table.Reserve(run("a", v1alpha1.CausePush, 1), places, 2)
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	if got := h.takes(run("b", v1alpha1.CausePush, 2), 3); got != 1 {
		t.Errorf("b gets %d", got)
	}
	release()
	if got := h.takes(run("b", v1alpha1.CausePush, 2), 2); got != 2 {
		t.Errorf("b gets %d of what a gave back", got)
	}
}

func TestWhatCannotBeCountedIsNotGiven(t *testing.T) {
	broken := errors.New("no cache")
	_, _, err := slots.New(nil).Reserve(run("a", v1alpha1.CausePush, 1),
		slots.Places{Environment: "e", Limit: 3, Used: func() (map[string]int, error) { return nil, broken }}, 1)
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestAtOnce: whoever asks at the same time, the limit holds, and all is given out.
func TestAtOnce(t *testing.T) {
	table := slots.New(nil)
	var mu sync.Mutex
	pods, most := 0, 0
	places := slots.Places{Environment: "e", Limit: 7, Used: func() (map[string]int, error) {
		mu.Lock()
		defer mu.Unlock()
		return map[string]int{"shop": pods}, nil
	}}
	var done sync.WaitGroup
	for i := range 50 {
		done.Go(func() {
			n, release, err := table.Reserve(run(fmt.Sprint(i), v1alpha1.CausePush, 0), places, 2)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			pods += n
			most = max(most, pods)
			mu.Unlock()
			release()
		})
	}
	done.Wait()
	if most != 7 {
		t.Errorf("%d pods at most", most)
	}
}
