// Command shop serves a small shop over HTTP: a catalog, a cart with discounts, and a page.
//
// It is configured by the environment: SHOP_ADDRESS (default :8080), SHOP_ENVIRONMENT (shown
// on the page; default local), SHOP_BANNER (default none) and SHOP_RULES, the file with the
// discounts (default: those it was built with).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/shop/services/catalog"
	"example.com/shop/services/checkout"
	"example.com/shop/services/storefront"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("the shop stops", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	products, err := catalog.Default()
	if err != nil {
		return err
	}
	rules, err := loadRules(os.Getenv("SHOP_RULES"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("SHOP_ADDRESS"), ":8080"))
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: storefront.Handler(storefront.Config{
			Environment: cmp.Or(os.Getenv("SHOP_ENVIRONMENT"), "local"),
			Banner:      os.Getenv("SHOP_BANNER"),
		}, products, checkout.New(rules, products)),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	slog.Info("the shop is open", "address", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// loadRules reads the discounts from a file, or takes the built-in ones without one.
func loadRules(file string) (checkout.Rules, error) {
	if file == "" {
		return checkout.DefaultRules()
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return checkout.Rules{}, fmt.Errorf("rules: %w", err)
	}
	return checkout.ParseRules(data)
}
