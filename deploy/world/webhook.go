package world

import (
	"context"
	"fmt"

	"code.gitea.io/sdk/gitea"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WebhookURL is where Gitea says that a TestRepository has something new: at the Service of
// deploy/webhook, by its address, since Gitea may be outside of the cluster's DNS.
func (w *World) WebhookURL(ctx context.Context, namespace, name string) (string, error) {
	var service corev1.Service
	if err := w.Client.Get(ctx, client.ObjectKey{Namespace: "assay-system", Name: "assay-webhook"}, &service); err != nil {
		return "", fmt.Errorf("finding the Service of deploy/webhook: %w", err)
	}
	return fmt.Sprintf("http://%s:%d/hook/%s/%s", service.Spec.ClusterIP, service.Spec.Ports[0].Port, namespace, name), nil
}

// AddWebhook has Gitea send every push to the URL, signed with the secret.
func (r *Repository) AddWebhook(url, secret string) error {
	_, _, err := r.world.Gitea.CreateRepoHook(r.Owner, r.Name, gitea.CreateHookOption{
		Type: gitea.HookTypeGitea, Active: true, Events: []string{"push"},
		Config: map[string]string{"url": url, "content_type": "json", "secret": secret},
	})
	if err != nil {
		return fmt.Errorf("adding a webhook to %q: %w", r.Name, err)
	}
	return nil
}
