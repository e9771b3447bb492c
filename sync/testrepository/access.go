package testrepository

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"

	"github.com/fluxcd/pkg/runtime/secrets"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/githubapp"
	"github.com/assay-dev/assay/sync/signature"
)

// apiTokenKey is the one Secret key that Flux does not have: a token for the forge's API
// beside an SSH identity or a Git password.
const apiTokenKey = "apiToken"

// appUser is the user to whom GitHub's Git hosts take an App's token for the password.
const appUser = "x-access-token"

// Access turns a TestRepository and its Secret into the means of reaching its Git host and
// its forge. Secrets are read by name, each time, and never watched. It is safe for
// concurrent use.
type Access struct {
	// Grantee is who needs the right to read Secrets, for the remedy where it is missing.
	Grantee v1alpha1.Grantee
	// Reach says which hosts forges may be at.
	Reach git.Reach

	reader    client.Reader
	providers map[v1alpha1.ProviderName]providers.Open
	apps      *githubapp.Tokens
	// forges are kept while their configuration stays the same: they remember connections,
	// and whose credential it is.
	forges *lru.Cache
}

// NewAccess reads Secrets with the reader, which should not be a cache, opens a forge of each
// kind that the API knows, and gets the tokens of GitHub Apps.
func NewAccess(reader client.Reader, open map[v1alpha1.ProviderName]providers.Open, apps *githubapp.Tokens) *Access {
	return &Access{reader: reader, providers: open, apps: apps, forges: lru.New(1024)}
}

// Open gives both sides, with the Secrets read once: a poll is made often.
func (a *Access) Open(ctx context.Context, repo *v1alpha1.TestRepository) (git.Endpoint, providers.Forge, error) {
	c, err := a.credential(ctx, repo)
	if err != nil {
		return git.Endpoint{}, providers.Forge{}, err
	}
	forge, err := a.forge(ctx, repo, c)
	return c.endpoint(repo), forge, err
}

// Endpoint gives the Git side. A Secret that is missing or contradicts itself is a
// SecretInvalid fault.
func (a *Access) Endpoint(ctx context.Context, repo *v1alpha1.TestRepository) (git.Endpoint, error) {
	c, err := a.credential(ctx, repo)
	if err != nil {
		return git.Endpoint{}, err
	}
	return c.endpoint(repo), nil
}

// Keys gives those that may sign the repository's commits. It must not be called where
// spec.verify is not set.
func (a *Access) Keys(ctx context.Context, repo *v1alpha1.TestRepository) (signature.Keys, error) {
	const field = "spec.verify.secretRef.name"
	data, err := a.secret(ctx, repo.Namespace, repo.Spec.Verify.SecretRef.Name, field)
	if err != nil {
		return signature.Keys{}, err
	}
	keys, err := signature.ParseKeys(data)
	return keys, fault.At(err, fault.Place{Field: field})
}

// CheckSecrets says what is amiss with the Secrets that a poll has no use for: those of spec.verify
// and spec.webhook. So it shows before somebody signs, or trusts that nobody else can.
func (a *Access) CheckSecrets(ctx context.Context, repo *v1alpha1.TestRepository) error {
	var amiss []error
	if repo.Spec.Verify != nil {
		_, err := a.Keys(ctx, repo)
		amiss = append(amiss, err)
	}
	if repo.Spec.Webhook != nil {
		const field = "spec.webhook.secretRef.name"
		data, err := a.secret(ctx, repo.Namespace, repo.Spec.Webhook.SecretRef.Name, field)
		if err == nil && len(data[secrets.KeyToken]) == 0 {
			err = fault.New(fault.SecretInvalid, fault.Place{Field: field},
				"set it to the secret that the forge was given", "the Secret has no key %s (it has: %s)", secrets.KeyToken, keysOf(data))
		}
		amiss = append(amiss, err)
	}
	return errors.Join(amiss...)
}

// Forge gives the forge's side. The forge of plain Git has no roles.
func (a *Access) Forge(ctx context.Context, repo *v1alpha1.TestRepository) (providers.Forge, error) {
	c, err := a.credential(ctx, repo)
	if err != nil {
		return providers.Forge{}, err
	}
	return a.forge(ctx, repo, c)
}

func (a *Access) forge(ctx context.Context, repo *v1alpha1.TestRepository, c credential) (providers.Forge, error) {
	open, ok := a.providers[repo.Spec.Provider]
	if !ok {
		return providers.Forge{}, fault.New(fault.InvalidSpec, fault.Place{Field: "spec.provider"},
			"use one of the providers that kubectl explain testrepository.spec.provider lists", "no provider %q", repo.Spec.Provider)
	}
	if err := a.checkHosts(repo); err != nil {
		return providers.Forge{}, err
	}
	config := providers.Config{
		URL:     repo.Spec.URL,
		APIURL:  repo.Spec.APIURL,
		Token:   c.apiToken(),
		CA:      c.data[secrets.KeyCACert],
		Proxy:   c.proxy,
		Dial:    a.Reach.Dial,
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
	proxy := ""
	if c.Proxy != nil {
		proxy = c.Proxy.String()
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q %s", provider, c.URL, c.APIURL, c.Token, c.CA, proxy, c.Timeout))
}

// checkHosts refuses addresses that a proxy would connect to unseen.
func (a *Access) checkHosts(repo *v1alpha1.TestRepository) error {
	for field, raw := range map[string]string{"spec.url": repo.Spec.URL, "spec.apiURL": repo.Spec.APIURL} {
		if u, err := url.Parse(raw); err == nil {
			if err := a.Reach.CheckHost(u.Hostname()); err != nil {
				return fault.At(err, fault.Place{Field: field})
			}
		}
	}
	return nil
}

// Forget drops what is kept of the repository's credential beside its Secrets: a token of a
// GitHub App that was refused before its time.
func (a *Access) Forget(ctx context.Context, repo *v1alpha1.TestRepository) {
	if c, err := a.read(ctx, repo); err == nil && c.app != nil {
		a.apps.Forget(c.app.Principal())
	}
}
