package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/runner/proof"
)

const (
	// keySecret is installed empty, so that the controller needs no right to create Secrets.
	keySecret = "assay-controller-key"
	keyEntry  = "key"
	// sinceEntry is when the key was made, as RFC 3339 has it. A Secret without it is as if it had always been there.
	sinceEntry = "since"
)

// controllerKey gives the key by which the controller knows what it made. The first one to look makes it; all replicas
// have the same.
func controllerKey(ctx context.Context, c client.Client, namespace string) (*proof.Key, error) {
	name := types.NamespacedName{Namespace: namespace, Name: keySecret}
	var key *proof.Key
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		secret := &corev1.Secret{}
		if err := c.Get(ctx, name, secret); err != nil {
			return err
		}
		if len(secret.Data[keyEntry]) == 0 {
			now := time.Now().UTC().Truncate(time.Second) // as the API server has the times of runs
			secret.Data = map[string][]byte{keyEntry: proof.NewSecret(), sinceEntry: []byte(now.Format(time.RFC3339))}
			if err := c.Update(ctx, secret, client.FieldOwner(controllerName)); err != nil {
				return err
			}
		}
		var err error
		if key, err = proof.NewKey(secret.Data[keyEntry]); err == nil && len(secret.Data[sinceEntry]) > 0 {
			key.Since, err = time.Parse(time.RFC3339, string(secret.Data[sinceEntry]))
		}
		return err
	})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return nil, fmt.Errorf("the Secret %q, by which the controller knows its own pods, is not there for it: apply the manifests of deploy/ of this version: %w", name, err)
	case err != nil:
		return nil, fmt.Errorf("the key of the controller, in the Secret %q: %w", name, err)
	}
	return key, nil
}
