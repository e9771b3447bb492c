// Package certificate keeps the certificate that the gateway serves with.
//
// In: a Secret of the controller's namespace, which somebody filled, such as cert-manager, or which is empty. Out: the
// certificate as it is now, and the authority that test pods are given to trust. An empty Secret is filled with an
// authority of the controller's own and a certificate by it, and both are renewed. Every replica reads the same Secret.
package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refreshed is how often the Secret is read: what others renew is served a minute later.
const refreshed = time.Minute

// Keeper reads the Secret, and fills and renews it where nobody else does. It is safe for concurrent use.
type Keeper struct {
	client client.Client
	secret types.NamespacedName
	host   string

	mu        sync.RWMutex
	serving   *tls.Certificate
	authority []byte
}

// New gives a keeper for the Secret. The certificate is for the host, a DNS name or an IP address. The client must not
// be a cache: it may get and update this one Secret.
func New(c client.Client, secret types.NamespacedName, host string) *Keeper {
	return &Keeper{client: c, secret: secret, host: host}
}

// Refresh reads the Secret, and fills or renews it where that is due.
func (k *Keeper) Refresh(ctx context.Context) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		secret := &corev1.Secret{}
		if err := k.client.Get(ctx, k.secret, secret); err != nil {
			return err
		}
		data, changed, err := renewed(secret.Data, k.host, time.Now())
		if err != nil {
			return err
		}
		if changed {
			secret.Data = data
			if err := k.client.Update(ctx, secret); err != nil {
				return err
			}
		}
		return k.load(secret.Data)
	})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return fmt.Errorf("the Secret %q with the certificate of the gateway is not there for the controller: "+
			"apply the manifests of deploy/ of this version: %w", k.secret, err)
	case err != nil:
		return fmt.Errorf("the certificate of the gateway, in the Secret %q: %w", k.secret, err)
	}
	return nil
}

// load takes what is in the Secret into use.
func (k *Keeper) load(data map[string][]byte) error {
	serving, err := tls.X509KeyPair(data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return fmt.Errorf("%s and %s: %w", corev1.TLSCertKey, corev1.TLSPrivateKeyKey, err)
	}
	authority := data[authorityCert]
	if len(authority) == 0 { // a certificate that signs for itself, or comes with its chain
		authority = data[corev1.TLSCertKey]
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serving, k.authority = &serving, authority
	return nil
}

// Start refreshes until the context ends, for a manager: on every replica, as all serve.
func (k *Keeper) Start(ctx context.Context) error {
	tick := time.NewTicker(refreshed)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
				ctrl.LoggerFrom(ctx).Error(err, "the certificate stays as it is")
			}
		}
	}
}

// NeedLeaderElection says no: every replica serves.
func (k *Keeper) NeedLeaderElection() bool { return false }

// Config gives the server's configuration. A certificate that is renewed is served from the next connection on.
func (k *Keeper) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		k.mu.RLock()
		defer k.mu.RUnlock()
		if k.serving == nil {
			return nil, errors.New("there is no certificate yet")
		}
		return k.serving, nil
	}}
}

// Authority gives the certificates that a client has to trust, as PEM; none before the first Refresh.
func (k *Keeper) Authority() []byte {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.authority
}
