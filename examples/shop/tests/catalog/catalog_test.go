// Package catalog tests the catalog of a running shop.
package catalog

import (
	"testing"

	"example.com/shop/tests/shop"
)

type list struct{ Products []shop.Product }

func TestEveryProductHasAPage(t *testing.T) {
	var all list
	if status := shop.Get(t, "/catalog", &all); status != 200 || len(all.Products) == 0 {
		t.Fatalf("status %d with %d products, want 200 and some", status, len(all.Products))
	}
	for _, want := range all.Products {
		t.Run(want.ID, func(t *testing.T) {
			var got shop.Product
			if status := shop.Get(t, "/catalog/"+want.ID, &got); status != 200 || got != want {
				t.Errorf("status %d, %+v, want 200, %+v", status, got, want)
			}
			if got.Cents <= 0 || got.Name == "" {
				t.Errorf("%+v: needs a name and a price", got)
			}
		})
	}
}

func TestCategoryShowsItsProductsOnly(t *testing.T) {
	var paper list
	shop.Get(t, "/catalog?category=paper", &paper)
	if len(paper.Products) == 0 {
		t.Error("no paper in the shop")
	}
	for _, p := range paper.Products {
		if p.Category != "paper" {
			t.Errorf("%s is of the category %q", p.ID, p.Category)
		}
	}
}

func TestUnknownProductIsNotFound(t *testing.T) {
	if status := shop.Get(t, "/catalog/rocket", nil); status != 404 {
		t.Errorf("status %d, want 404", status)
	}
}
