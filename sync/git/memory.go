package git

import (
	"strings"
	"sync"
	"time"
)

// memory is what earlier operations found out, so that the next need not ask: that a host
// speaks version 2 (over https), and its last list of refs. It is bound by bytes, of which
// every entry takes some hundred. What does not fit pushes out something else by chance:
// polls go round in circles, where the least recently used is what is needed next. It is
// safe for concurrent use.
type memory struct {
	now func() time.Time

	mu      sync.Mutex
	left    int64
	entries map[string]memorized // by kind and Endpoint.identity
}

type memorized struct {
	value any
	cost  int64
	since time.Time
}

// dialectAge is how long what a host can do is taken for granted: a host may learn more.
const dialectAge = time.Hour

func newMemory(bytes int64) *memory {
	return &memory{now: time.Now, left: bytes, entries: map[string]memorized{}}
}

func (m *memory) dialect(identity string) *dialect {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[dialectKey(identity)]
	if !ok || m.now().Sub(e.since) > dialectAge {
		return nil
	}
	return e.value.(*dialect)
}

func (m *memory) keepDialect(identity string, d *dialect) { m.keep(dialectKey(identity), d, 1<<10) }

func (m *memory) forgetDialect(identity string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(dialectKey(identity))
}

func dialectKey(identity string) string { return "dialect " + identity }

// listing gives the last answer for the prefixes, nil when there is none.
func (m *memory) listing(identity string, prefixes []string) *listing {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, _ := m.entries[listingKey(identity, prefixes)].value.(*listing)
	return l
}

func (m *memory) keepListing(identity string, prefixes []string, l *listing) {
	m.keep(listingKey(identity, prefixes), l, l.cost())
}

func listingKey(identity string, prefixes []string) string {
	return "refs " + identity + strings.Join(prefixes, " ")
}

func (m *memory) keep(key string, value any, cost int64) {
	cost += 2 * int64(len(key))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(key)
	m.entries[key] = memorized{value, cost, m.now()}
	m.left -= cost
	for other := range m.entries {
		if m.left >= 0 {
			return
		}
		if other != key {
			m.forget(other)
		}
	}
	if m.left < 0 { // it is bigger than everything that may be kept
		m.forget(key)
	}
}

// forget is called with the lock held.
func (m *memory) forget(key string) {
	m.left += m.entries[key].cost
	delete(m.entries, key)
}
