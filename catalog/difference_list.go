package catalog

import (
	"reflect"
	"slices"
	"strconv"
)

// compareLists compares by name where the items have one, as a whole where that is short
// enough to read, else by position.
func (d *differ) compareLists(path string, before, after []any) {
	namedBefore, orderBefore, okBefore := byName(before)
	namedAfter, orderAfter, okAfter := byName(after)
	if okBefore && okAfter {
		d.compareNamed(path, namedBefore, namedAfter)
		d.compareOrder(path, those(orderBefore, namedAfter), those(orderAfter, namedBefore))
		return
	}
	if scalars(before) && scalars(after) {
		if b, a := listText(before), listText(after); len(b) <= maxValue && len(a) <= maxValue {
			d.add(path, presentText(before, b), presentText(after, a))
			return
		}
	}
	d.comparePositions(path, before, after)
}

// byName gives the items by their field name, and the names in their order; ok is false when
// an item has none, or two have the same.
func byName(list []any) (items map[string]any, order []string, ok bool) {
	items = make(map[string]any, len(list))
	for _, item := range list {
		m, isMap := item.(map[string]any)
		name, hasName := m["name"].(string)
		if _, twice := items[name]; !isMap || !hasName || twice {
			return nil, nil, false
		}
		rest := make(map[string]any, len(m))
		for key, value := range m {
			if key != "name" {
				rest[key] = value
			}
		}
		items[name], order = rest, append(order, name)
	}
	return items, order, true
}

func (d *differ) compareNamed(path string, before, after map[string]any) {
	for _, name := range unionKeys(before, after) {
		d.compare(path+"[name="+nameText(name)+"]", before[name], after[name])
	}
}

// compareOrder tells when items that both sides have changed places, which matters for
// variables that refer to others.
func (d *differ) compareOrder(path string, before, after []any) {
	if !reflect.DeepEqual(before, after) {
		d.add(path, listText(before), listText(after))
	}
}

// those gives the names that the other side has too.
func those(names []string, others map[string]any) []any {
	var kept []any
	for _, name := range names {
		if _, both := others[name]; both {
			kept = append(kept, name)
		}
	}
	return kept
}

// comparePositions compares what lies between the beginning and the end that are alike.
func (d *differ) comparePositions(path string, before, after []any) {
	first, most := 0, min(len(before), len(after))
	for first < most && reflect.DeepEqual(before[first], after[first]) {
		first++
	}
	tail := 0
	for tail < most-first && reflect.DeepEqual(before[len(before)-1-tail], after[len(after)-1-tail]) {
		tail++
	}
	before, after = before[first:len(before)-tail], after[first:len(after)-tail]
	at := func(list []any, i int) any {
		if i < len(list) {
			return list[i]
		}
		return nil
	}
	for i := range max(len(before), len(after)) {
		d.compare(path+"["+strconv.Itoa(first+i)+"]", at(before, i), at(after, i))
	}
}

func scalars(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool {
		switch item.(type) {
		case map[string]any, []any, nil:
			return true
		}
		return false
	})
}
