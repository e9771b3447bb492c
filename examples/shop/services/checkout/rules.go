package checkout

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed rules.json
var rules []byte

// Rules say what a basket is cheaper by. Each environment gets rules.json as a ConfigMap, so
// that a sale needs no new image.
type Rules struct {
	Discounts []Discount `json:"discounts"`
}

// Discount takes percent off baskets that are worth at least fromCents.
type Discount struct {
	FromCents int `json:"fromCents"`
	Percent   int `json:"percent"`
}

// DefaultRules gives the rules the shop was built with.
func DefaultRules() (Rules, error) { return ParseRules(rules) }

// ParseRules reads rules.json. An unknown field and a percentage outside 0 to 100 are errors.
func ParseRules(data []byte) (Rules, error) {
	var r Rules
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("rules: %w", err)
	}
	for i, d := range r.Discounts {
		if d.Percent < 0 || d.Percent > 100 || d.FromCents < 0 {
			return Rules{}, fmt.Errorf("rules: discount %d: percent is from 0 to 100, and fromCents not below 0", i)
		}
	}
	return r, nil
}

// percent gives the best discount for a basket, 0 without one.
func (r Rules) percent(subtotal int) int {
	best := 0
	for _, d := range r.Discounts {
		if subtotal >= d.FromCents {
			best = max(best, d.Percent)
		}
	}
	return best
}
