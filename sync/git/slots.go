package git

import (
	"context"
	"sync"
)

// slots bounds how much runs on one host at once. It remembers only hosts that are in use.
type slots struct {
	each  int
	mu    sync.Mutex
	hosts map[string]*slot
}

type slot struct {
	taken chan struct{}
	users int // that hold or wait for a place
}

// acquire waits for a place on the host, or for the end of ctx. release must be called once.
func (s *slots) acquire(ctx context.Context, host string) (release func(), err error) {
	s.mu.Lock()
	here, ok := s.hosts[host]
	if !ok {
		here = &slot{taken: make(chan struct{}, s.each)}
		s.hosts[host] = here
	}
	here.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if here.users--; here.users == 0 {
			delete(s.hosts, host)
		}
	}
	select {
	case here.taken <- struct{}{}:
		return func() { <-here.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
