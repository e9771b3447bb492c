package publish

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Forges ask for writes one after the other, about a second apart, and allow some in a row
// (GitHub: 80 a minute that create content).
const (
	writesASecond = 1
	writesInARow  = 20
)

// pace holds a repository to one writer at a time and a rate of writes. The zero value is
// ready.
type pace struct {
	mutex        sync.Mutex
	repositories map[string]*repositoryPace
}

type repositoryPace struct {
	busy   bool
	writes *rate.Limiter
}

// enter gives the repository's limiter, and false while another worker is at it: waiting
// would keep a worker from other repositories.
func (p *pace) enter(repository string) (writes *rate.Limiter, leave func(), ok bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.repositories == nil {
		p.repositories = map[string]*repositoryPace{}
	}
	r := p.repositories[repository]
	if r == nil {
		r = &repositoryPace{writes: rate.NewLimiter(writesASecond, writesInARow)}
		p.repositories[repository] = r
	}
	if r.busy {
		return nil, nil, false
	}
	r.busy = true
	return r.writes, func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		r.busy = false
	}, true
}

// forget drops a repository that is gone.
func (p *pace) forget(repository string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if r := p.repositories[repository]; r != nil && !r.busy {
		delete(p.repositories, repository)
	}
}

// tooFast says that the rest has to wait.
type tooFast struct{ wait time.Duration }

func (t tooFast) Error() string { return "writing too fast" }

// take asks for one write.
func take(writes *rate.Limiter, now time.Time) error {
	reservation := writes.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return tooFast{wait}
	}
	return nil
}
