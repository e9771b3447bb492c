package git

import (
	"container/list"
	"context"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/assay-dev/assay/api/fault"
)

// Reader reads commits; see [Client.Commit], [Client.Tree] and [Client.Changed] for the contract.
// What it returns for full commit hashes never changes.
type Reader interface {
	Commit(ctx context.Context, e Endpoint, commit string) ([]byte, error)
	Tree(ctx context.Context, e Endpoint, commit, path string) (fs.FS, error)
	Changed(ctx context.Context, e Endpoint, base, head string) (paths []string, known bool, err error)
}

// Cache is a [Reader] that remembers what another one answered, up to a number of bytes, the
// least recently used going first. Concurrent calls for the same share one. Errors and
// unknown changes are not remembered. What was read with one credential is not given to
// another. It is safe for concurrent use; its results are shared and must not be changed.
type Cache struct {
	next    Reader
	flights singleflight.Group
	mu      sync.Mutex
	left    int64
	entries map[string]*list.Element
	recent  *list.List // of *cached, the most recently used in front
}

type cached struct {
	key   string
	value any
	cost  int64
}

var (
	_ Reader = (*Client)(nil)
	_ Reader = (*Cache)(nil)
)

// NewCache gives a cache of at most bytes in front of next.
func NewCache(next Reader, bytes int64) *Cache {
	return &Cache{next: next, left: bytes, entries: map[string]*list.Element{}, recent: list.New()}
}

// Commit answers as [Client.Commit].
func (c *Cache) Commit(ctx context.Context, e Endpoint, commit string) ([]byte, error) {
	key := strings.Join([]string{"commit", e.identity(), commit}, "\x00")
	value, err := c.get(ctx, key, func(ctx context.Context) (any, int64, error) {
		content, err := c.next.Commit(ctx, e, commit)
		return content, int64(len(content)), err
	})
	if err != nil {
		return nil, err
	}
	return value.([]byte), nil
}

// Tree answers as [Client.Tree].
func (c *Cache) Tree(ctx context.Context, e Endpoint, commit, path string) (fs.FS, error) {
	key := strings.Join([]string{"tree", e.identity(), commit, path}, "\x00")
	value, err := c.get(ctx, key, func(ctx context.Context) (any, int64, error) {
		tree, err := c.next.Tree(ctx, e, commit, path)
		var cost int64 = -1 // of an unknown make
		if t, ok := tree.(*treeFS); ok {
			cost = t.cost()
		}
		return tree, cost, err
	})
	if err != nil {
		return nil, err
	}
	return value.(fs.FS), nil
}

type difference struct {
	paths []string
	known bool
}

// Changed answers as [Client.Changed].
func (c *Cache) Changed(ctx context.Context, e Endpoint, base, head string) (paths []string, known bool, err error) {
	key := strings.Join([]string{"changed", e.identity(), base, head}, "\x00")
	value, err := c.get(ctx, key, func(ctx context.Context) (any, int64, error) {
		paths, known, err := c.next.Changed(ctx, e, base, head)
		var cost int64 = -1 // the base may come back
		if known {
			cost = 0
			for _, p := range paths {
				cost += int64(len(p)) + 16
			}
		}
		return difference{paths, known}, cost, err
	})
	if err != nil {
		return nil, false, err
	}
	d := value.(difference)
	return d.paths, d.known, nil
}

// get gives what is remembered, or calls read, whose result is remembered unless its cost is
// negative.
func (c *Cache) get(ctx context.Context, key string, read func(context.Context) (any, int64, error)) (any, error) {
	if value, ok := c.look(key); ok {
		return value, nil
	}
	// The shared call is bound by the endpoint's timeout, not by the caller who came first.
	flight := c.flights.DoChan(key, func() (any, error) {
		if value, ok := c.look(key); ok {
			return value, nil
		}
		value, cost, err := read(context.WithoutCancel(ctx))
		if err == nil && cost >= 0 {
			c.keep(&cached{key, value, cost + int64(len(key)) + 256})
		}
		return value, err
	})
	select {
	case result := <-flight:
		return result.Val, result.Err
	case <-ctx.Done():
		return nil, fault.New(fault.HostUnreachable, fault.Place{}, "", "reading was given up: %w", ctx.Err())
	}
}

func (c *Cache) look(key string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(element)
	return element.Value.(*cached).value, true
}

func (c *Cache) keep(entry *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.entries[entry.key]; there {
		return
	}
	c.entries[entry.key] = c.recent.PushFront(entry)
	for c.left -= entry.cost; c.left < 0; {
		oldest := c.recent.Remove(c.recent.Back()).(*cached)
		delete(c.entries, oldest.key)
		c.left += oldest.cost
	}
}

// cost is about what a tree takes in memory.
func (t *treeFS) cost() int64 { return t.bytes + int64(t.nodes)*256 }
