package git

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMemoryIsBound(t *testing.T) {
	m := newMemory(100_000)
	kept := func() (n int) {
		for i := range 1000 {
			if m.listing(fmt.Sprint(i), nil) != nil {
				n++
			}
		}
		return n
	}
	for i := range 1000 {
		l, err := newListing(hashA+" refs/heads/main\n", nil)
		if err != nil {
			t.Fatal(err)
		}
		m.keepListing(fmt.Sprint(i), nil, l)
	}
	if n := kept(); n < 10 || n > 200 || m.left < 0 {
		t.Errorf("%d answers are kept, with %d bytes left", n, m.left)
	}
	// What is bigger than everything is not kept, and nothing that was replaced counts.
	m = newMemory(100_000)
	m.keepListing("big", nil, &listing{raw: strings.Repeat("x", 200_000)})
	for range 1000 {
		m.keepDialect("a", &dialect{})
	}
	m.forgetDialect("a")
	m.forgetDialect("a")
	if m.listing("big", nil) != nil || m.left != 100_000 || len(m.entries) != 0 {
		t.Errorf("%d bytes left of 100,000, %d entries", m.left, len(m.entries))
	}
}

func TestDialectsAreLearnedAgain(t *testing.T) {
	m, now := newMemory(1<<20), time.Now()
	m.now = func() time.Time { return now }
	m.keepDialect("a", &dialect{filter: true})
	if d := m.dialect("a"); d == nil || !d.filter {
		t.Errorf("got %+v", d)
	}
	if m.dialect("b") != nil {
		t.Error("another repository's is known")
	}
	now = now.Add(dialectAge + time.Second)
	if m.dialect("a") != nil {
		t.Error("what a host could do long ago is taken for granted")
	}
}
