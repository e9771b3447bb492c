// Package catalog knows what the shop sells.
package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
)

//go:embed products.json
var products []byte

// Product is something to buy.
type Product struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Cents    int    `json:"cents"`
}

// Catalog is the products in the order they are shown. It does not change, and may be used
// concurrently.
type Catalog struct {
	products []Product
	byID     map[string]Product
}

// Default gives the products the shop was built with.
func Default() (*Catalog, error) { return Parse(products) }

// Parse reads a JSON list of products. Every one needs its own id and a price.
func Parse(data []byte) (*Catalog, error) {
	c := &Catalog{byID: map[string]Product{}}
	if err := json.Unmarshal(data, &c.products); err != nil {
		return nil, fmt.Errorf("products: %w", err)
	}
	for _, p := range c.products {
		if p.ID == "" || p.Cents <= 0 {
			return nil, fmt.Errorf("product %q: needs an id and a price above 0", p.ID)
		}
		if _, twice := c.byID[p.ID]; twice {
			return nil, fmt.Errorf("product %q is there twice", p.ID)
		}
		c.byID[p.ID] = p
	}
	return c, nil
}

// Price gives the price of one piece in cents, and whether there is such a product.
func (c *Catalog) Price(id string) (cents int, found bool) {
	p, found := c.byID[id]
	return p.Cents, found
}

// In gives the products of a category; every one for the empty category.
func (c *Catalog) In(category string) []Product {
	chosen := []Product{}
	for _, p := range c.products {
		if category == "" || p.Category == category {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// Register adds GET /catalog (with ?category=) and GET /catalog/{id}.
func (c *Catalog) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /catalog", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]any{"products": c.In(r.URL.Query().Get("category"))})
	})
	mux.HandleFunc("GET /catalog/{id}", func(w http.ResponseWriter, r *http.Request) {
		p, found := c.byID[r.PathValue("id")]
		if !found {
			answer(w, http.StatusNotFound, map[string]string{"error": "no such product"})
			return
		}
		answer(w, http.StatusOK, p)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone away: nobody to tell
}
