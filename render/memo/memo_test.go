package memo

import (
	"fmt"
	"sync"
	"testing"
)

func TestTheBudgetIsKept(t *testing.T) {
	m := New(10 * (100 + entryBytes))
	asked := SumOf([]byte("0"))
	for i := range 50 {
		m.Add(SumOf(fmt.Append(nil, i)), i, 100)
		if _, ok := m.Get(asked); !ok {
			t.Fatal("what is asked for all the time is forgotten")
		}
	}
	if len(m.bySum) != 10 || m.byAge.Len() != 10 || m.Bytes() != m.budget {
		t.Errorf("%d values of %d bytes are remembered, in a budget of %d", len(m.bySum), m.Bytes(), m.budget)
	}
	m.Add(asked, "larger", m.budget)
	if got, ok := m.Get(asked); ok {
		t.Errorf("%v is remembered, which is larger than the budget", got)
	}
	m.Add(asked, "other", 100)
	if got, _ := m.Get(asked); got != "other" {
		t.Errorf("got %v", got)
	}
	before := m.Bytes()
	m.Forget(asked)
	m.Forget(asked)
	if _, ok := m.Get(asked); ok || m.Bytes() != before-100-entryBytes {
		t.Errorf("what is forgotten is there (%v), or takes %d bytes of %d", ok, m.Bytes(), before)
	}
}

func TestTextsAreToldApart(t *testing.T) {
	if SumOf([]byte("ab"), []byte("c")) == SumOf([]byte("a"), []byte("bc")) {
		t.Error("texts run into each other")
	}
}

func TestNilRemembersNothing(t *testing.T) {
	var m *Memo
	m.Add(Sum{}, 1, 1)
	m.Forget(Sum{})
	if _, ok := m.Get(Sum{}); ok || m.Bytes() != 0 {
		t.Error("nil remembers something")
	}
}

func TestManyAtATime(t *testing.T) {
	m := New(20 * entryBytes)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				sum := SumOf(fmt.Append(nil, j%40))
				m.Add(sum, j%40, int64(i))
				if got, ok := m.Get(sum); ok && got != j%40 {
					t.Errorf("got %v for %d", got, j%40)
				}
			}
		})
	}
	all.Wait()
	if m.Bytes() > m.budget {
		t.Errorf("%d bytes in a budget of %d", m.Bytes(), m.budget)
	}
}
