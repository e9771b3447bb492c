package git

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sync/singleflight"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/render/memo"
)

// Reader reads commits; see [Client.Commit], [Client.Tree] and [Client.Changed] for the contract.
// What it returns for full commit hashes never changes.
type Reader interface {
	Commit(ctx context.Context, e Endpoint, commit string) ([]byte, error)
	Tree(ctx context.Context, e Endpoint, commit, path string) (fs.FS, error)
	Changed(ctx context.Context, e Endpoint, base, head string) (paths []string, known bool, err error)
}

// Cache is a [Reader] that remembers what a client read, up to a number of bytes, the least
// recently used going first. It knows files by the object name of their folder, so that a
// commit that leaves the folder alone costs no files; and it tells the host which commits it
// has, so that a new one costs the folders that changed, once for Tree and Changed together.
//
// Concurrent calls for the same share one. Errors and unknown changes are not remembered.
// What was read with one credential is not given to another. It is safe for concurrent use;
// its results are shared and must not be changed.
type Cache struct {
	client  *Client
	flights singleflight.Group
	memo    *memo.Memo
	budget  int64
}

var (
	_ Reader = (*Client)(nil)
	_ Reader = (*Cache)(nil)
)

// NewCache gives a cache of at most bytes in front of the client.
func NewCache(client *Client, bytes int64) *Cache {
	return &Cache{client: client, memo: memo.New(bytes), budget: bytes}
}

// Commit answers as [Client.Commit].
func (c *Cache) Commit(ctx context.Context, e Endpoint, commit string) ([]byte, error) {
	key := keyOf("commit", e.identity(), commit)
	value, err := c.share(ctx, e, key, func() any { return c.look(key) }, func(ctx context.Context) (any, error) {
		content, err := c.client.Commit(ctx, e, commit)
		if err == nil {
			c.memo.Add(key, content, int64(len(content)))
		}
		return content, err
	})
	if err != nil {
		return nil, err
	}
	return value.([]byte), nil
}

// Tree answers as [Client.Tree].
func (c *Cache) Tree(ctx context.Context, e Endpoint, commit, path string) (fs.FS, error) {
	hash, err := parseCommit(commit)
	if err != nil {
		return nil, err
	}
	parts, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	identity := e.identity()
	below := strings.Join(parts, "/")
	wayKey := keyOf("way", identity, commit, below)
	files := func(object plumbing.Hash) *branch {
		b, _ := c.look(keyOf("files", identity, object.String(), below)).(*branch)
		return b
	}
	remembered := func() any {
		if way, ok := c.look(wayKey).(*treeFS); ok {
			if tree := way.with(parts, files); tree != nil {
				return tree
			}
		}
		return nil
	}
	value, err := c.share(ctx, e, wayKey, remembered, func(ctx context.Context) (any, error) {
		var tree *treeFS
		err := c.pooled(identity, func(p *pool) (err error) {
			tree, err = c.client.tree(ctx, e, hash, parts, known{p, files})
			return err
		})
		if err != nil {
			return nil, err
		}
		way, files := tree.split(parts)
		if files != nil {
			c.memo.Add(keyOf("files", identity, files.node.hash.String(), below), files, files.cost())
		}
		c.memo.Add(wayKey, way, way.cost())
		return tree, nil
	})
	if err != nil {
		return nil, err
	}
	return value.(*treeFS), nil
}

// Changed answers as [Client.Changed].
func (c *Cache) Changed(ctx context.Context, e Endpoint, base, head string) (paths []string, known bool, err error) {
	from, to, err := parseRange(base, head)
	if err != nil || from.IsZero() {
		return nil, false, err
	}
	identity := e.identity()
	key := keyOf("changed", identity, base, head)
	remembered := func() any { return c.look(key) }
	value, err := c.share(ctx, e, key, remembered, func(ctx context.Context) (any, error) {
		var d difference
		err := c.pooled(identity, func(p *pool) (err error) {
			d.paths, d.known, err = c.client.changed(ctx, e, from, to, p)
			return err
		})
		if err == nil && d.known { // an unknown base may come back
			c.memo.Add(key, d, d.cost())
		}
		return d, err
	})
	if err != nil {
		return nil, false, err
	}
	d := value.(difference)
	return d.paths, d.known, nil
}

type difference struct {
	paths []string
	known bool
}

func (d difference) cost() (cost int64) {
	for _, p := range d.paths {
		cost += int64(len(p)) + 16
	}
	return cost
}

func keyOf(parts ...string) memo.Sum {
	texts := make([][]byte, len(parts))
	for i, part := range parts {
		texts[i] = []byte(part)
	}
	return memo.SumOf(texts...)
}

// share gives what is remembered, or else what read gives, called once for all who ask.
func (c *Cache) share(ctx context.Context, e Endpoint, key memo.Sum, remembered func() any, read func(context.Context) (any, error)) (any, error) {
	if value := remembered(); value != nil {
		return value, nil
	}
	leave, err := c.client.share(ctx, e)
	if err != nil {
		return nil, err
	}
	defer leave()
	// The shared call is bound by the endpoint's timeout, not by the caller who came first.
	flight := c.flights.DoChan(string(key[:]), func() (any, error) {
		if value := remembered(); value != nil {
			return value, nil
		}
		return read(context.WithoutCancel(ctx))
	})
	select {
	case result := <-flight:
		return result.Val, result.Err
	case <-ctx.Done():
		return nil, fault.New(fault.HostUnreachable, fault.Place{}, "", "reading was given up: %w", ctx.Err())
	}
}

// pooled calls read with the endpoint's pool. Should a host have left out of an answer what
// the pool does not hold, it is read again without.
func (c *Cache) pooled(identity string, read func(*pool) error) error {
	key := keyOf("pool", identity)
	p, _ := c.look(key).(*pool)
	if p == nil {
		p = newPool()
	}
	before := p.size()
	err := read(p)
	if before > 0 && errors.Is(err, plumbing.ErrObjectNotFound) {
		p = newPool()
		err = read(p)
	}
	// One repository must not crowd out all others.
	if size := p.size(); errors.Is(err, plumbing.ErrObjectNotFound) || size > c.budget/4 {
		c.memo.Forget(key)
	} else {
		c.memo.Add(key, p, size)
	}
	return err
}

// look gives what is remembered by the key; nil for nothing.
func (c *Cache) look(key memo.Sum) any {
	value, _ := c.memo.Get(key)
	return value
}
