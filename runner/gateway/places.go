package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/types"
)

// ofPod is how many requests of one pod are served at the same time: it fetches, and then tells.
const ofPod = 2

// places are shared out so that nobody takes all of them: one pod has ofPod, the pods of one namespace a quarter of all.
type places struct {
	all  *semaphore.Weighted
	each int64
	wait time.Duration

	mu         sync.Mutex
	pods       map[types.UID]int
	namespaces map[string]*namespacePlaces
}

// namespacePlaces are those of one namespace, kept as long as somebody of it is here.
type namespacePlaces struct {
	*semaphore.Weighted
	here int
}

func newPlaces(all int, wait time.Duration) *places {
	return &places{
		all: semaphore.NewWeighted(int64(all)), each: int64(max(all/4, 1)), wait: wait,
		pods: map[types.UID]int{}, namespaces: map[string]*namespacePlaces{},
	}
}

// greet lets the pod in, unless it has enough requests here already. It takes no place yet.
func (p *places) greet(pod types.UID) (leave func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pods[pod] >= ofPod {
		return nil, &refusal{status: http.StatusTooManyRequests, message: "the pod has too many requests at the same time"}
	}
	p.pods[pod]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.pods[pod]--; p.pods[pod] == 0 {
			delete(p.pods, pod)
		}
	}, nil
}

// take waits for a place: among those of the namespace first, so that who waits there holds up nobody else.
func (p *places) take(ctx context.Context, namespace string) (free func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	own, left := p.of(namespace)
	if own.Acquire(ctx, 1) != nil {
		left()
		return nil, busy
	}
	if p.all.Acquire(ctx, 1) != nil {
		own.Release(1)
		left()
		return nil, busy
	}
	return func() {
		p.all.Release(1)
		own.Release(1)
		left()
	}, nil
}

var busy = &refusal{status: http.StatusServiceUnavailable, message: "too many requests at the same time: try again"}

func (p *places) of(namespace string) (own *namespacePlaces, left func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own = p.namespaces[namespace]
	if own == nil {
		own = &namespacePlaces{Weighted: semaphore.NewWeighted(p.each)}
		p.namespaces[namespace] = own
	}
	own.here++
	return own, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if own.here--; own.here == 0 {
			delete(p.namespaces, namespace)
		}
	}
}
