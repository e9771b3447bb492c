// Package checkout tests the prices and orders of a running shop.
package checkout

import (
	"fmt"
	"testing"

	"example.com/shop/tests/shop"
)

// marginPercent of the list price is what the shop must take at least, whatever is on sale.
const marginPercent = 70

func TestBasketKeepsTheMargin(t *testing.T) {
	for _, lamps := range []int{1, 2, 5, 10, 100} {
		t.Run(fmt.Sprintf("%d lamps", lamps), func(t *testing.T) {
			var p shop.Price
			if status := shop.Post(t, "/cart", shop.Basket(shop.Item{Product: "lamp", Quantity: lamps}), &p); status != 200 {
				t.Fatalf("status %d, want 200", status)
			}
			if least := p.SubtotalCents * marginPercent / 100; p.TotalCents < least {
				t.Errorf("%d cents of goods are sold for %d cents (%d %% off), want at least %d cents",
					p.SubtotalCents, p.TotalCents, p.DiscountPercent, least)
			}
		})
	}
}

func TestPriceAddsUp(t *testing.T) {
	var mug, pencil shop.Product
	shop.Get(t, "/catalog/mug", &mug)
	shop.Get(t, "/catalog/pencil", &pencil)
	var p shop.Price
	shop.Post(t, "/cart", shop.Basket(shop.Item{Product: "mug", Quantity: 2}, shop.Item{Product: "pencil", Quantity: 3}), &p)
	if want := 2*mug.Cents + 3*pencil.Cents; p.SubtotalCents != want {
		t.Errorf("subtotal is %d, want %d", p.SubtotalCents, want)
	}
	if p.TotalCents != p.SubtotalCents-p.DiscountCents {
		t.Errorf("%+v: the total is not the subtotal less the discount", p)
	}
}

func TestSmallBasketHasNoDiscount(t *testing.T) {
	var p shop.Price
	shop.Post(t, "/cart", shop.Basket(shop.Item{Product: "pencil", Quantity: 1}), &p)
	if p.DiscountCents != 0 || p.TotalCents != p.SubtotalCents {
		t.Errorf("got %+v, want no discount", p)
	}
}

func TestOrderCostsWhatTheCartSaid(t *testing.T) {
	basket := shop.Basket(shop.Item{Product: "teapot", Quantity: 2})
	var cart, order shop.Price
	shop.Post(t, "/cart", basket, &cart)
	if status := shop.Post(t, "/checkout", basket, &order); status != 201 || order.Order == "" {
		t.Fatalf("status %d, order %q, want 201 and a number", status, order.Order)
	}
	if order.TotalCents != cart.TotalCents {
		t.Errorf("the order costs %d, the cart said %d", order.TotalCents, cart.TotalCents)
	}
}

func TestImpossibleBasketsAreRefused(t *testing.T) {
	for name, item := range map[string]shop.Item{
		"unknown product":   {Product: "rocket", Quantity: 1},
		"no piece":          {Product: "mug", Quantity: 0},
		"negative quantity": {Product: "mug", Quantity: -2},
	} {
		t.Run(name, func(t *testing.T) {
			if status := shop.Post(t, "/checkout", shop.Basket(item), nil); status != 422 {
				t.Errorf("status %d, want 422", status)
			}
		})
	}
}
