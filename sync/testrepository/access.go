package testrepository

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"

	"github.com/fluxcd/pkg/runtime/secrets"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

// apiTokenKey is the one Secret key that Flux does not have: a token for the forge's API
// beside an SSH identity or a Git password.
const apiTokenKey = "apiToken"

// Access turns a TestRepository and its Secret into the means of reaching its Git host and
// its forge. Secrets are read by name, each time, and never watched. It is safe for
// concurrent use.
type Access struct {
	reader    client.Reader
	providers map[v1alpha1.ProviderName]providers.Open
	// forges are kept while their configuration stays the same: they remember connections,
	// and whose credential it is.
	forges *lru.Cache
}

// NewAccess reads Secrets with the reader, which should not be a cache, and opens a forge of
// each kind that the API knows.
func NewAccess(reader client.Reader, open map[v1alpha1.ProviderName]providers.Open) *Access {
	return &Access{reader: reader, providers: open, forges: lru.New(1024)}
}

// Endpoint gives the Git side. A Secret that is missing or contradicts itself is a
// SecretInvalid fault.
func (a *Access) Endpoint(ctx context.Context, repo *v1alpha1.TestRepository) (git.Endpoint, error) {
	data, err := a.secret(ctx, repo)
	if err != nil {
		return git.Endpoint{}, err
	}
	return git.Endpoint{
		URL:     repo.Spec.URL,
		Timeout: repo.GetTimeout(),
		Auth: git.Auth{
			Username:         string(data[secrets.KeyUsername]),
			Password:         basicPassword(repo.Spec.URL, data),
			BearerToken:      string(data[secrets.KeyBearerToken]),
			Identity:         data[secrets.KeySSHPrivateKey],
			IdentityPassword: identityPassword(repo.Spec.URL, data),
			KnownHosts:       data[secrets.KeySSHKnownHosts],
			CA:               data[secrets.KeyCACert],
			ClientCert:       data[secrets.KeyTLSCert],
			ClientKey:        data[secrets.KeyTLSPrivateKey],
		},
	}, nil
}

// Forge gives the forge's side. The forge of plain Git has no roles.
func (a *Access) Forge(ctx context.Context, repo *v1alpha1.TestRepository) (providers.Forge, error) {
	open, ok := a.providers[repo.Spec.Provider]
	if !ok {
		return providers.Forge{}, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.provider"},
			"use one of the providers that kubectl explain testrepository.spec.provider lists", "no provider %q", repo.Spec.Provider)
	}
	data, err := a.secret(ctx, repo)
	if err != nil {
		return providers.Forge{}, err
	}
	config := providers.Config{
		URL:     repo.Spec.URL,
		APIURL:  repo.Spec.APIURL,
		Token:   apiToken(data),
		CA:      data[secrets.KeyCACert],
		Timeout: repo.GetTimeout(),
	}
	key := forgeKey(repo.Spec.Provider, config)
	if kept, ok := a.forges.Get(key); ok {
		return kept.(providers.Forge), nil
	}
	forge, err := open(ctx, config)
	if err == nil {
		a.forges.Add(key, forge)
	}
	return forge, err
}

// forgeKey tells configurations apart without keeping the token.
func forgeKey(provider v1alpha1.ProviderName, c providers.Config) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %s", provider, c.URL, c.APIURL, c.Token, c.CA, c.Timeout))
}

func (a *Access) secret(ctx context.Context, repo *v1alpha1.TestRepository) (map[string][]byte, error) {
	if repo.Spec.SecretRef == nil {
		return nil, nil
	}
	key := types.NamespacedName{Namespace: repo.Namespace, Name: repo.Spec.SecretRef.Name}
	var secret corev1.Secret
	err := a.reader.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "spec.secretRef.name"},
			"create it, and allow the controller to read it", "the Secret %q cannot be read: %w", key, err)
	}
	if err != nil {
		return nil, fault.New(fault.HostFailed, fault.Place{Field: "spec.secretRef.name"}, "", "reading the Secret %q: %w", key, err)
	}
	if len(secret.Data[secrets.KeyBearerToken]) > 0 && len(secret.Data[secrets.KeyPassword]) > 0 && !isSSH(repo.Spec.URL) {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "spec.secretRef.name"},
			"keep one of them", "the Secret %q has both %s and %s", key, secrets.KeyBearerToken, secrets.KeyPassword)
	}
	return secret.Data, nil
}

func isSSH(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "ssh"
}

// basicPassword and identityPassword share Flux's key `password`: beside an SSH identity it
// opens the identity.
func basicPassword(raw string, data map[string][]byte) string {
	if isSSH(raw) {
		return ""
	}
	return string(data[secrets.KeyPassword])
}

func identityPassword(raw string, data map[string][]byte) []byte {
	if !isSSH(raw) {
		return nil
	}
	return data[secrets.KeyPassword]
}

func apiToken(data map[string][]byte) string {
	for _, key := range []string{apiTokenKey, secrets.KeyBearerToken, secrets.KeyPassword} {
		if token := data[key]; len(token) > 0 {
			return string(token)
		}
	}
	return ""
}
