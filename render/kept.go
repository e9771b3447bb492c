package render

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// sum names what a value was made of.
type sum = [sha256.Size]byte

// kept is a memory of bounded size: what was used least recently is forgotten first. It is safe
// for concurrent use; a nil one keeps nothing.
//
// All that it holds is what a pure function made of the bytes that the sum is of. So nobody
// gets anything out of it without presenting those bytes, and nothing in it can grow stale.
type kept struct {
	mutex  sync.Mutex
	budget int64
	bytes  int64
	byAge  *list.List // of *entry, the youngest in front
	bySum  map[sum]*list.Element
}

type entry struct {
	sum   sum
	value any
	bytes int64
}

func newKept(budget int64) *kept {
	return &kept{budget: budget, byAge: list.New(), bySum: map[sum]*list.Element{}}
}

func (k *kept) get(s sum) (any, bool) {
	if k == nil {
		return nil, false
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	element, ok := k.bySum[s]
	if !ok {
		return nil, false
	}
	k.byAge.MoveToFront(element)
	return element.Value.(*entry).value, true
}

// entryBytes is about what an entry costs beside its value.
const entryBytes = 256

func (k *kept) add(s sum, value any, bytes int64) {
	if k == nil {
		return
	}
	bytes += entryBytes
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if _, known := k.bySum[s]; known || bytes > k.budget {
		return
	}
	k.bySum[s] = k.byAge.PushFront(&entry{s, value, bytes})
	for k.bytes += bytes; k.bytes > k.budget; {
		oldest := k.byAge.Back()
		forgotten := k.byAge.Remove(oldest).(*entry)
		delete(k.bySum, forgotten.sum)
		k.bytes -= forgotten.bytes
	}
}

// sumOf is the sum of the texts, each told from the next.
func sumOf(texts ...[]byte) sum {
	h := sha256.New()
	for _, text := range texts {
		writeText(h, text)
	}
	return sum(h.Sum(nil))
}
