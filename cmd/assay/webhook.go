package main

import (
	"fmt"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/assay-dev/assay/sync/webhook"
)

// addWebhook adds the receiver of webhooks. What anybody's requests make it ask of the API
// server has a limit of its own, so that they take nothing from the controller.
func addWebhook(mgr ctrl.Manager, config *rest.Config, f controllerFlags) error {
	limited := rest.CopyConfig(config)
	limited.QPS, limited.Burst, limited.RateLimiter = 20, 40, nil
	c, err := client.New(limited, client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	poker := webhook.NewPoker(c)
	if err := mgr.Add(poker); err != nil {
		return fmt.Errorf("adding the webhook: %w", err)
	}
	handler := webhook.New(mgr.GetClient(), c, poker.Poke, webhook.Options{})
	server := &manager.Server{Name: "webhook", ShutdownTimeout: &f.gracefulStop, Server: webhook.NewServer(f.webhookAddr, handler)}
	if err := mgr.Add(server); err != nil {
		return fmt.Errorf("adding the webhook: %w", err)
	}
	return nil
}
