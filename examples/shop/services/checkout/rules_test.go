package checkout

import "testing"

// marginPercent is what must be left of the list price: below it the shop pays its customers.
const marginPercent = 70

func TestRulesKeepTheMargin(t *testing.T) {
	r, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Discounts {
		if left := 100 - d.Percent; left < marginPercent {
			t.Errorf("rules.json: a basket from %d cents is sold at %d %% of its list price, want at least %d %%",
				d.FromCents, left, marginPercent)
		}
	}
}

func TestParseRulesRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"more than everything": `{"discounts": [{"percent": 101}]}`,
		"a surcharge":          `{"discounts": [{"percent": -1}]}`,
		"an unknown field":     `{"discount": []}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseRules([]byte(data)); err == nil {
				t.Error("no error")
			}
		})
	}
}
