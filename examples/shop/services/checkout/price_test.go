package checkout

import (
	"errors"
	"testing"
)

type priceList map[string]int

func (l priceList) Price(product string) (int, bool) { cents, found := l[product]; return cents, found }

var list = priceList{"mug": 1000, "gum": 1}

func TestPriceOf(t *testing.T) {
	rules := Rules{Discounts: []Discount{{FromCents: 5000, Percent: 10}, {FromCents: 10000, Percent: 15}}}
	for name, test := range map[string]struct {
		items []Item
		want  Price
	}{
		"below every discount":           {[]Item{{"mug", 4}}, Price{Subtotal: 4000, Total: 4000}},
		"exactly at a discount":          {[]Item{{"mug", 5}}, Price{Subtotal: 5000, Percent: 10, Discount: 500, Total: 4500}},
		"the best discount counts":       {[]Item{{"mug", 10}}, Price{Subtotal: 10000, Percent: 15, Discount: 1500, Total: 8500}},
		"fractions go to the shop":       {[]Item{{"mug", 5}, {"gum", 9}}, Price{Subtotal: 5009, Percent: 10, Discount: 500, Total: 4509}},
		"one product on different lines": {[]Item{{"mug", 2}, {"mug", 2}}, Price{Subtotal: 4000, Total: 4000}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := PriceOf(Basket{test.items}, list, rules)
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestPriceOfRefuses(t *testing.T) {
	for name, items := range map[string][]Item{
		"an empty basket":    nil,
		"an unknown product": {{"rocket", 1}},
		"no piece":           {{"mug", 0}},
		"a negative number":  {{"mug", -1}},
		"too many":           {{"mug", maxQuantity + 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := PriceOf(Basket{items}, list, Rules{}); !errors.Is(err, errBasket) {
				t.Errorf("got %v, want a fault of the basket", err)
			}
		})
	}
}
