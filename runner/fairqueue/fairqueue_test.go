package fairqueue

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: name[:1], Name: name}}
}

func newQueue(t *testing.T) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	q := Requests(t.Name(), workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Millisecond, time.Second))
	t.Cleanup(q.ShutDown)
	return q
}

// take gives the names of the next n.
func take(t *testing.T, q workqueue.TypedRateLimitingInterface[reconcile.Request], n int) (names []string) {
	t.Helper()
	for range n {
		item, shutdown := q.Get()
		if shutdown {
			t.Fatal("the queue is shut down")
		}
		q.Done(item)
		names = append(names, item.Name)
	}
	return names
}

func TestNamespacesTakeTurns(t *testing.T) {
	q := newQueue(t)
	for _, name := range []string{"a1", "a2", "a3", "b1", "a4", "c1", "b2", "a2"} {
		q.Add(request(name))
	}
	if got, want := take(t, q, 7), []string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if q.Len() != 0 {
		t.Errorf("%d are left", q.Len())
	}
}

// TestHundredsOfOneHoldUpNobody: also one that comes again after an error, or after a while.
func TestHundredsOfOneHoldUpNobody(t *testing.T) {
	for how, add := range map[string]func(workqueue.TypedRateLimitingInterface[reconcile.Request], reconcile.Request){
		"at once": func(q workqueue.TypedRateLimitingInterface[reconcile.Request], r reconcile.Request) { q.Add(r) },
		"after a while": func(q workqueue.TypedRateLimitingInterface[reconcile.Request], r reconcile.Request) {
			q.AddAfter(r, time.Millisecond)
		},
		"after an error": func(q workqueue.TypedRateLimitingInterface[reconcile.Request], r reconcile.Request) {
			q.AddRateLimited(r)
		},
	} {
		q := newQueue(t)
		for i := range 500 {
			q.Add(request(fmt.Sprintf("a%d", i)))
		}
		take(t, q, 100)
		before := q.Len()
		add(q, request("b1"))
		for ctx := t.Context(); q.Len() == before && ctx.Err() == nil; {
			runtime.Gosched()
		}
		if got := take(t, q, 2); !slices.Contains(got, "b1") {
			t.Errorf("%s: next are %q", how, got)
		}
	}
}
