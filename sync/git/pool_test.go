package git

import (
	"fmt"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// A host that leaves out what the pool does not hold must not make a repository unreadable:
// it is read again without the pool, and what was wrong is not kept.
func TestAPoolThatLacksSomethingIsDropped(t *testing.T) {
	c := NewCache(New(Options{Reach: Loopback}), 1<<20)
	fill := func(p *pool, name string) {
		s := newStore(c.client.options.Limits)
		s.objects[plumbing.ComputeHash(plumbing.TreeObject, []byte(name))] = stored{plumbing.TreeObject, []byte(name)}
		p.add(s)
	}
	lacks := fmt.Errorf("an object is missing: %w", plumbing.ErrObjectNotFound)
	var sizes []int64
	call := func(errs ...error) error {
		sizes = nil
		return c.pooled("shop", func(p *pool) error {
			sizes = append(sizes, p.size())
			fill(p, fmt.Sprint("tree", p.size()))
			return errs[len(sizes)-1]
		})
	}
	for i, step := range []struct {
		errs  []error // of each reading
		kept  bool
		fails bool
	}{
		{errs: []error{nil}, kept: true},
		{errs: []error{lacks, nil}, kept: true},
		{errs: []error{lacks, lacks}, fails: true},
		{errs: []error{lacks}, fails: true}, // a pool that was empty is not to blame
		{errs: []error{nil}, kept: true},
	} {
		if err := call(step.errs...); (err != nil) != step.fails {
			t.Errorf("step %d: %v", i, err)
		}
		if len(sizes) != len(step.errs) || len(sizes) > 1 && sizes[1] != 0 {
			t.Errorf("step %d: read with pools of %d", i, sizes)
		}
		if kept := CacheUses(c) > 0; kept != step.kept {
			t.Errorf("step %d: a pool is kept: %v", i, kept)
		}
	}
}

// One repository may take a quarter of the budget with its folders, and no more.
func TestAPoolThatIsTooBigIsDropped(t *testing.T) {
	c := NewCache(New(Options{Reach: Loopback}), 4000)
	for i := range 20 {
		err := c.pooled("shop", func(p *pool) error {
			s := newStore(c.client.options.Limits)
			content := fmt.Appendf(nil, "tree %d", i)
			s.objects[plumbing.ComputeHash(plumbing.TreeObject, content)] = stored{plumbing.TreeObject, content}
			p.add(s)
			return nil
		})
		if used := CacheUses(c); err != nil || used > 1000+512 || used < 0 {
			t.Errorf("%d folders take %d bytes, %v", i+1, used, err)
		}
	}
}
