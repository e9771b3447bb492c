// Command probe asks a shop whether it is open: exit code 0 when /healthz answers and the
// catalog is not empty. It is an image of its own, whose entry point is a test suite.
// BASE_URL says where the shop is; default http://shop, the Service next door.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := probe(cmp.Or(os.Getenv("BASE_URL"), "http://shop")); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
	fmt.Println("the shop is open")
}

func probe(base string) error {
	var health struct{ Status string }
	if err := get(base+"/healthz", &health); err != nil {
		return err
	}
	if health.Status != "ok" {
		return fmt.Errorf("%s/healthz says %q, want ok", base, health.Status)
	}
	var catalog struct{ Products []any }
	if err := get(base+"/catalog", &catalog); err != nil {
		return err
	}
	if len(catalog.Products) == 0 {
		return fmt.Errorf("%s/catalog is empty", base)
	}
	return nil
}

func get(url string, into any) error {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
