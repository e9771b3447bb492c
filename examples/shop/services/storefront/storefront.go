// Package storefront puts the shop together: its page, its health and its numbers, and the
// catalog and the checkout below them.
package storefront

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"sync/atomic"

	"example.com/shop/services/catalog"
	"example.com/shop/services/checkout"
)

//go:embed page.html
var page string

// Config is what differs between environments.
type Config struct {
	// Environment is shown on the page and by /healthz.
	Environment string
	// Banner is one line above the products; none without it.
	Banner string
}

// Handler serves the whole shop.
func Handler(config Config, products *catalog.Catalog, orders *checkout.Checkout) http.Handler {
	var requests atomic.Int64
	tmpl := template.Must(template.New("page").Parse(page))
	mux := http.NewServeMux()
	products.Register(mux)
	orders.Register(mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = tmpl.Execute(w, map[string]any{"Config": config, "Products": products.In("")})
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "ok", "environment": config.Environment})
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, "# TYPE shop_requests_total counter\nshop_requests_total %d\n", requests.Load())
		fmt.Fprintf(w, "# TYPE shop_orders_total counter\nshop_orders_total %d\n", orders.Orders())
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}
