package git

import (
	"errors"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// pool is the commits and folders of one endpoint that were fetched before, without files.
// What is in it is not asked for again, and a host that is told of it sends only what is new
// since. It only grows; whoever keeps it drops it when it is too big, and what reads from it
// meanwhile may go on. It is safe for concurrent use.
type pool struct {
	mu      sync.RWMutex
	objects map[plumbing.Hash]stored
	whole   []plumbing.Hash // commits with all their folders, the latest last
	bytes   int64
}

var _ source = (*pool)(nil)

func newPool() *pool { return &pool{objects: map[plumbing.Hash]stored{}} }

// read gives the content of a commit or folder; see [source].
func (p *pool) read(kind plumbing.ObjectType, hash plumbing.Hash, most int64) ([]byte, error) {
	o, ok := p.get(hash)
	switch {
	case !ok || o.kind != kind:
		return nil, plumbing.ErrObjectNotFound
	case int64(len(o.content)) > most:
		return nil, tooBigError{int64(len(o.content))}
	}
	return o.content, nil
}

// get gives an object of whatever kind. A pool that is nil has none.
func (p *pool) get(hash plumbing.Hash) (stored, bool) {
	if p == nil {
		return stored{}, false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	o, ok := p.objects[hash]
	return o, ok
}

// lacks gives the commits that are not there with all their folders.
func (p *pool) lacks(commits ...plumbing.Hash) []plumbing.Hash {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(commits), func(c plumbing.Hash) bool { return slices.Contains(p.whole, c) })
}

// latest gives some commits to tell a host of. What it no longer has is no matter to it.
func (p *pool) latest() []plumbing.Hash {
	const enough = 16
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Clone(p.whole[max(0, len(p.whole)-enough):])
}

// add takes in what a fetch of commits without files brought.
func (p *pool) add(from *store, commits ...plumbing.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for hash, o := range from.objects {
		if _, there := p.objects[hash]; !there && (o.kind == plumbing.CommitObject || o.kind == plumbing.TreeObject) {
			p.objects[hash] = o
			p.bytes += int64(len(o.content)) + objectOverhead
		}
	}
	for _, c := range commits {
		if o, ok := p.objects[c]; ok && o.kind == plumbing.CommitObject && !slices.Contains(p.whole, c) {
			p.whole = append(p.whole, c)
		}
	}
}

// size is about what the pool takes in memory.
func (p *pool) size() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.bytes
}

// layered reads from the first of its sources that has an object.
type layered []source

func (l layered) read(kind plumbing.ObjectType, hash plumbing.Hash, most int64) ([]byte, error) {
	for _, s := range l {
		content, err := s.read(kind, hash, most)
		if !errors.Is(err, plumbing.ErrObjectNotFound) {
			return content, err
		}
	}
	return nil, plumbing.ErrObjectNotFound
}
