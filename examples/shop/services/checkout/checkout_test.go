package checkout

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHTTP(t *testing.T) {
	c := New(Rules{Discounts: []Discount{{FromCents: 5000, Percent: 10}}}, list)
	mux := http.NewServeMux()
	c.Register(mux)
	for _, test := range []struct {
		name, request, body, contains string
		status                        int
	}{
		{name: "rules", request: "GET /checkout/rules", status: 200, contains: `"percent":10`},
		{name: "a cart", request: "POST /cart", body: `{"items": [{"product": "mug", "quantity": 5}]}`, status: 200, contains: `"totalCents":4500`},
		{name: "an order", request: "POST /checkout", body: `{"items": [{"product": "mug", "quantity": 1}]}`, status: 201, contains: `"order":"A-000001"`},
		{name: "the next order", request: "POST /checkout", body: `{"items": [{"product": "mug", "quantity": 1}]}`, status: 201, contains: `"order":"A-000002"`},
		{name: "an empty cart", request: "POST /cart", body: `{}`, status: 422, contains: `is empty`},
		{name: "no JSON", request: "POST /checkout", body: `mug`, status: 400, contains: `no basket`},
		{name: "too much", request: "POST /cart", body: strings.Repeat(" ", maxBasketBytes+1), status: 400, contains: `no basket`},
	} {
		t.Run(test.name, func(t *testing.T) {
			method, path, _ := strings.Cut(test.request, " ")
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(test.body)))
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.contains) {
				t.Errorf("got %d %s, want %d with %s", w.Code, w.Body, test.status, test.contains)
			}
		})
	}
	if c.Orders() != 2 {
		t.Errorf("%d orders, want 2", c.Orders())
	}
}
