// Package shop talks to a running shop, over HTTP only: the tests know nothing of its code.
// BASE_URL says where it is; default http://shop.
package shop

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"
)

var client = http.Client{Timeout: 10 * time.Second}

// Product is an entry of the catalog.
type Product struct {
	ID, Name, Category string
	Cents              int
}

// Item of a basket.
type Item struct {
	Product  string `json:"product"`
	Quantity int    `json:"quantity"`
}

// Price of a basket, in cents.
type Price struct {
	Order                                                     string
	SubtotalCents, DiscountPercent, DiscountCents, TotalCents int
}

// Get asks for a path, decodes a JSON answer into the value, and gives the status code.
func Get(t *testing.T, path string, into any) int {
	t.Helper()
	return do(t, http.MethodGet, path, nil, into)
}

// Post sends a value as JSON and decodes the answer.
func Post(t *testing.T, path string, body, into any) int {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, http.MethodPost, path, bytes.NewReader(data), into)
}

// Basket makes the body of /cart and /checkout.
func Basket(items ...Item) any { return map[string]any{"items": items} }

func do(t *testing.T, method, path string, body io.Reader, into any) int {
	t.Helper()
	url := cmp.Or(os.Getenv("BASE_URL"), "http://shop") + path
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatalf("%s %s: %s: %v in %.200s", method, url, answer.Status, err, data)
		}
	}
	return answer.StatusCode
}
