// Package fairqueue has the queues of reconcilers in which namespaces take turns.
//
// In: what is to be looked at, in any order. Out: the same, one of each namespace after the other, and of each
// namespace in the order in which it came. So the first of one team waits for one of each other team, and not for all
// of theirs. It knows nothing of what is looked at.
package fairqueue

import (
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// New gives what makes the queue of a controller, as its option NewQueue. namespace is whose an item is.
func New[T comparable](namespace func(T) string) func(name string, limiter workqueue.TypedRateLimiter[T]) workqueue.TypedRateLimitingInterface[T] {
	return func(name string, limiter workqueue.TypedRateLimiter[T]) workqueue.TypedRateLimitingInterface[T] {
		inner := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[T]{Name: name, Queue: newTurns(namespace)})
		delayed := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[T]{Name: name, Queue: inner})
		return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[T]{Name: name, DelayingQueue: delayed})
	}
}

// Requests is New for objects of namespaces.
func Requests(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return New(func(r reconcile.Request) string { return r.Namespace })(name, limiter)
}

// turns is a [workqueue.Queue], which is never used by two at once.
type turns[T comparable] struct {
	namespace func(T) string
	waiting   map[string][]T
	// order are the namespaces that have something, the next first.
	order []string
	len   int
}

func newTurns[T comparable](namespace func(T) string) *turns[T] {
	return &turns[T]{namespace: namespace, waiting: map[string][]T{}}
}

// Touch is for items that are there already: they keep their place.
func (q *turns[T]) Touch(T) {}

func (q *turns[T]) Push(item T) {
	namespace := q.namespace(item)
	if len(q.waiting[namespace]) == 0 {
		q.order = append(q.order, namespace)
	}
	q.waiting[namespace] = append(q.waiting[namespace], item)
	q.len++
}

func (q *turns[T]) Len() int { return q.len }

// Pop is called only while there is something.
func (q *turns[T]) Pop() T {
	namespace := q.order[0]
	q.order = q.order[1:]
	item := q.waiting[namespace][0]
	if rest := q.waiting[namespace][1:]; len(rest) > 0 {
		q.waiting[namespace] = rest
		q.order = append(q.order, namespace)
	} else {
		delete(q.waiting, namespace)
	}
	q.len--
	return item
}
