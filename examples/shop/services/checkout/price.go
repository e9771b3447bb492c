package checkout

import (
	"errors"
	"fmt"
)

// maxQuantity of one line: who wants more should call.
const maxQuantity = 1000

// Basket is what a customer wants to buy.
type Basket struct {
	Items []Item `json:"items"`
}

// Item is a product and how many of it.
type Item struct {
	Product  string `json:"product"`
	Quantity int    `json:"quantity"`
}

// Price is what a basket costs, in cents. Total is Subtotal less Discount.
type Price struct {
	Subtotal int `json:"subtotalCents"`
	Percent  int `json:"discountPercent"`
	Discount int `json:"discountCents"`
	Total    int `json:"totalCents"`
}

// Prices knows the price of one piece of a product, and whether it is sold at all.
type Prices interface {
	Price(product string) (cents int, found bool)
}

// errBasket marks baskets that cannot be priced: the customer's mistake.
var errBasket = errors.New("basket")

// PriceOf prices a basket. Fractions of a cent go to the shop.
func PriceOf(b Basket, prices Prices, rules Rules) (Price, error) {
	if len(b.Items) == 0 {
		return Price{}, fmt.Errorf("%w: is empty", errBasket)
	}
	var p Price
	for _, item := range b.Items {
		cents, found := prices.Price(item.Product)
		if !found {
			return Price{}, fmt.Errorf("%w: no product %q", errBasket, item.Product)
		}
		if item.Quantity < 1 || item.Quantity > maxQuantity {
			return Price{}, fmt.Errorf("%w: product %q: quantity is from 1 to %d", errBasket, item.Product, maxQuantity)
		}
		p.Subtotal += cents * item.Quantity
	}
	p.Percent = rules.percent(p.Subtotal)
	p.Discount = p.Subtotal * p.Percent / 100
	p.Total = p.Subtotal - p.Discount
	return p, nil
}
