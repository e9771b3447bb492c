package git

import (
	"context"
	"errors"
	"sync"
	"time"
)

// slots is the budget of hosts: how much runs on one at once, how much may wait for that, and
// whether the host asked to be left alone for a while. It remembers only hosts that are in use,
// or left alone.
type slots struct {
	each int // may run at once, and as many wait
	now  func() time.Time

	mu    sync.Mutex
	hosts map[string]*slot
}

// slot is the budget of a host. Its channels hold who is there.
type slot struct {
	// taken are the places; admitted hold one or wait for one; sharing wait for what others
	// asked the host for.
	taken, admitted, sharing chan struct{}
	// users are all that want something of the host.
	users int
	// until is when the host may be asked again, and asked is what it said.
	until time.Time
	asked statusError
}

// maxRest is how long one answer keeps everybody from a host. Who got the answer waits as long
// as it says; but the quota that is spent may be that of one credential.
const maxRest = 5 * time.Minute

// grace is how long to stand at the door of a host where enough is waiting: a host that answers
// lets somebody in by then.
const grace = 500 * time.Millisecond

// errBusy is a host for which enough is waiting already. Whoever waited, too, would keep from
// other hosts what is there for all: one that accepts connections and says nothing holds up
// nobody else.
var errBusy = errors.New("enough is waiting for the host")

// share is for who may get what others ask the host for. As many may wait for that as may hold
// a place or wait for one; where there are enough, it is errBusy. leave must be called once.
func (s *slots) share(ctx context.Context, host string) (leave func(), err error) {
	here := s.use(host)
	if err := enter(ctx, here.sharing); err != nil {
		s.leave(here)
		return nil, err
	}
	return func() { <-here.sharing; s.leave(here) }, nil
}

// acquire waits for a place on the host, or for the end of ctx; where enough is waiting, it is
// errBusy. A host that asked to be left alone is the statusError that it sent, with the time
// that is left. release must be called once.
func (s *slots) acquire(ctx context.Context, host string) (release func(), err error) {
	here := s.use(host)
	if err := enter(ctx, here.admitted); err != nil {
		s.leave(here)
		return nil, err
	}
	select {
	case here.taken <- struct{}{}:
	case <-ctx.Done():
		<-here.admitted
		s.leave(here)
		return nil, ctx.Err()
	}
	release = func() { <-here.taken; <-here.admitted; s.leave(here) }
	if err := s.resting(here); err != nil { // perhaps since it was waited for
		release()
		return nil, err
	}
	return release, nil
}

// enter is errBusy where there is no room, and none comes soon.
func enter(ctx context.Context, room chan struct{}) error {
	select {
	case room <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case room <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slots) use(host string) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.at(host)
	here.users++
	return here
}

// rest leaves the host alone for as long as it says, or a little when it does not say.
func (s *slots) rest(host string, asked statusError) {
	after := min(asked.after, maxRest)
	if after <= 0 {
		after = time.Second
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if here := s.at(host); s.now().Add(after).After(here.until) {
		here.until, here.asked = s.now().Add(after), asked
	}
}

func (s *slots) resting(here *slot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := here.until.Sub(s.now())
	if left <= 0 {
		return nil
	}
	return statusError{here.asked.code, left}
}

// at is called with the lock held.
func (s *slots) at(host string) *slot {
	here, ok := s.hosts[host]
	if !ok {
		room := func(n int) chan struct{} { return make(chan struct{}, n) }
		here = &slot{taken: room(s.each), admitted: room(2 * s.each), sharing: room(2 * s.each)}
		s.hosts[host] = here
	}
	return here
}

// leave gives up a use, and forgets every host that nobody uses or needs to leave alone.
func (s *slots) leave(here *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if here.users--; here.users > 0 {
		return
	}
	for host, other := range s.hosts {
		if other.users == 0 && !other.until.After(s.now()) {
			delete(s.hosts, host)
		}
	}
}
