package catalog

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"a product without a price": `[{"id": "mug"}]`,
		"a product without an id":   `[{"cents": 5}]`,
		"one id twice":              `[{"id": "mug", "cents": 5}, {"id": "mug", "cents": 6}]`,
		"what is not JSON":          `mug`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(data)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	c.Register(mux)
	for _, test := range []struct {
		path, contains, lacks string
		status                int
	}{
		{path: "/catalog", status: 200, contains: `"mug"`},
		{path: "/catalog?category=paper", status: 200, contains: `"pencil"`, lacks: `"mug"`},
		{path: "/catalog?category=none", status: 200, contains: `[]`},
		{path: "/catalog/lamp", status: 200, contains: `5900`},
		{path: "/catalog/rocket", status: 404, contains: `no such product`},
	} {
		t.Run(test.path, func(t *testing.T) {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", test.path, nil))
			body := w.Body.String()
			if w.Code != test.status || !strings.Contains(body, test.contains) || (test.lacks != "" && strings.Contains(body, test.lacks)) {
				t.Errorf("got %d %s, want %d with %s and without %s", w.Code, body, test.status, test.contains, test.lacks)
			}
		})
	}
}
