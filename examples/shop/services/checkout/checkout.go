// Package checkout prices baskets and takes orders.
package checkout

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
)

// maxBasketBytes bounds the body of a request.
const maxBasketBytes = 64 << 10

// Checkout prices baskets and counts orders. It may be used concurrently.
type Checkout struct {
	rules  Rules
	prices Prices
	orders atomic.Int64
}

// New gives a checkout without orders.
func New(rules Rules, prices Prices) *Checkout { return &Checkout{rules: rules, prices: prices} }

// Orders gives how many orders were taken.
func (c *Checkout) Orders() int64 { return c.orders.Load() }

// Register adds POST /cart, which prices a basket, POST /checkout, which takes it as an
// order, and GET /checkout/rules.
func (c *Checkout) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /checkout/rules", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, c.rules)
	})
	mux.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		if price, ok := c.price(w, r); ok {
			answer(w, http.StatusOK, price)
		}
	})
	mux.HandleFunc("POST /checkout", func(w http.ResponseWriter, r *http.Request) {
		if price, ok := c.price(w, r); ok {
			order := fmt.Sprintf("A-%06d", c.orders.Add(1))
			answer(w, http.StatusCreated, struct {
				Order string `json:"order"`
				Price
			}{order, price})
		}
	})
}

// price answers the request itself when the basket cannot be priced.
func (c *Checkout) price(w http.ResponseWriter, r *http.Request) (Price, bool) {
	var b Basket
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBasketBytes)).Decode(&b); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "the body is no basket"})
		return Price{}, false
	}
	price, err := PriceOf(b, c.prices, c.rules)
	if errors.Is(err, errBasket) {
		answer(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
		return Price{}, false
	}
	return price, true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone away: nobody to tell
}
