// Package memo remembers, within a budget of bytes, what was made of something that never changes.
//
// In flow the sum of all that a value was made of, and the value; out flows the value for
// whoever has the sum. It knows nothing of what the values are.
package memo

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// Sum names a value: it is the hash of all that the value was made of.
type Sum [sha256.Size]byte

// SumOf is the sum of the texts, each told from the next.
func SumOf(texts ...[]byte) Sum {
	h := sha256.New()
	for _, text := range texts {
		Write(h, text)
	}
	return Sum(h.Sum(nil))
}

// Write adds a text to a hash so that it is told from the next.
func Write(h hash.Hash, text []byte) {
	h.Write(binary.AppendUvarint(nil, uint64(len(text))))
	h.Write(text)
}

// Memo is a memory of bounded size: what was used least recently is forgotten first. It is safe
// for concurrent use; a nil one remembers nothing.
//
// Nobody gets anything out of it without the sum of the bytes that it was made of, and nothing
// in it can grow stale.
type Memo struct {
	budget int64

	mutex sync.Mutex
	bytes int64
	byAge *list.List // of *entry, the youngest in front
	bySum map[Sum]*list.Element
}

type entry struct {
	sum   Sum
	value any
	bytes int64
}

// entryBytes is about what an entry costs beside its value.
const entryBytes = 256

// New makes a memory for about so many bytes.
func New(budget int64) *Memo {
	return &Memo{budget: budget, byAge: list.New(), bySum: map[Sum]*list.Element{}}
}

// Get gives the value, and whether it is remembered.
func (m *Memo) Get(sum Sum) (any, bool) {
	if m == nil {
		return nil, false
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	element, ok := m.bySum[sum]
	if !ok {
		return nil, false
	}
	m.byAge.MoveToFront(element)
	return element.Value.(*entry).value, true
}

// Add remembers a value of about so many bytes, in place of what it was before. A value that is
// larger than the budget is not remembered.
func (m *Memo) Add(sum Sum, value any, bytes int64) {
	if m == nil {
		return
	}
	bytes += entryBytes
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if element, known := m.bySum[sum]; known {
		m.forget(element)
	}
	if bytes > m.budget {
		return
	}
	m.bySum[sum] = m.byAge.PushFront(&entry{sum, value, bytes})
	for m.bytes += bytes; m.bytes > m.budget; {
		m.forget(m.byAge.Back())
	}
}

// Forget forgets a value.
func (m *Memo) Forget(sum Sum) {
	if m == nil {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if element, known := m.bySum[sum]; known {
		m.forget(element)
	}
}

func (m *Memo) forget(element *list.Element) {
	forgotten := m.byAge.Remove(element).(*entry)
	delete(m.bySum, forgotten.sum)
	m.bytes -= forgotten.bytes
}

// Bytes is about how many bytes are remembered.
func (m *Memo) Bytes() int64 {
	if m == nil {
		return 0
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.bytes
}
