package storefront

import (
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/shop/services/catalog"
	"example.com/shop/services/checkout"
)

func TestHandler(t *testing.T) {
	products, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	handler := Handler(Config{Environment: "test", Banner: "<b>Sale"}, products, checkout.New(checkout.Rules{}, products))
	for path, want := range map[string]struct {
		status   int
		contains string
	}{
		"/":               {200, "&lt;b&gt;Sale"},
		"/healthz":        {200, `"environment":"test"`},
		"/catalog":        {200, "teapot"},
		"/checkout/rules": {200, "discounts"},
		"/metrics":        {200, "shop_orders_total 0"},
		"/nowhere":        {404, ""},
	} {
		t.Run(path, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Code != want.status || !strings.Contains(w.Body.String(), want.contains) {
				t.Errorf("got %d %s, want %d with %s", w.Code, w.Body, want.status, want.contains)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("X-Content-Type-Options is missing")
			}
		})
	}
}
