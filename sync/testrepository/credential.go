package testrepository

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/pkg/runtime/secrets"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/githubapp"
)

// credential is what the Secrets of a repository say.
type credential struct {
	data  map[string][]byte
	proxy *url.URL
	ssh   bool
	// app is set for a GitHub App, and then so is its token.
	app      *githubapp.App
	appToken string
}

// credential gives what the Secrets say, with a token where they are of a GitHub App.
func (a *Access) credential(ctx context.Context, repo *v1alpha1.TestRepository) (credential, error) {
	c, err := a.read(ctx, repo)
	if err == nil && c.app != nil {
		c.appToken, err = a.apps.Token(ctx, *c.app)
	}
	return c, fault.At(err, fault.Place{Field: "spec.secretRef.name"})
}

func (a *Access) read(ctx context.Context, repo *v1alpha1.TestRepository) (credential, error) {
	c := credential{ssh: isSSH(repo.Spec.URL)}
	var err error
	if repo.Spec.SecretRef != nil {
		if c.data, err = a.secret(ctx, repo.Namespace, repo.Spec.SecretRef.Name, "spec.secretRef.name"); err != nil {
			return credential{}, err
		}
		if err := c.contradiction(); err != nil {
			return credential{}, err
		}
		if err := c.shortage(); err != nil {
			return credential{}, err
		}
	}
	if repo.Spec.ProxySecretRef != nil {
		if c.proxy, err = a.proxy(ctx, repo); err != nil {
			return credential{}, err
		}
	}
	if len(c.data[secrets.KeyGitHubAppPrivateKey]) > 0 {
		c.app = c.githubApp(repo.GetTimeout())
	}
	return c, nil
}

// endpoint is the Git side, for whoever has the credential.
func (c credential) endpoint(repo *v1alpha1.TestRepository) git.Endpoint {
	password, identityPassword := c.passwords()
	at := git.Endpoint{
		URL:     repo.Spec.URL,
		Proxy:   c.proxy,
		Timeout: repo.GetTimeout(),
		Auth: git.Auth{
			Username:         string(c.data[secrets.KeyUsername]),
			Password:         password,
			BearerToken:      string(c.data[secrets.KeyBearerToken]),
			Identity:         c.data[secrets.KeySSHPrivateKey],
			IdentityPassword: identityPassword,
			KnownHosts:       c.data[secrets.KeySSHKnownHosts],
			CA:               c.data[secrets.KeyCACert],
			ClientCert:       c.data[secrets.KeyTLSCert],
			ClientKey:        c.data[secrets.KeyTLSPrivateKey],
		},
	}
	if c.app != nil && !c.ssh {
		at.Auth.Username, at.Auth.Password, at.Auth.Principal = appUser, c.appToken, c.app.Principal()
	}
	return at
}

// contradiction refuses a Secret from which it is not plain who logs in.
func (c credential) contradiction() error {
	has := func(key string) bool { return len(c.data[key]) > 0 }
	both := func(one, other string) error {
		return fault.New(fault.SecretInvalid, fault.Place{Field: "spec.secretRef.name"}, "keep one of them", "the Secret has both %s and %s", one, other)
	}
	if has(secrets.KeyBearerToken) && has(secrets.KeyPassword) && !c.ssh {
		return both(secrets.KeyBearerToken, secrets.KeyPassword)
	}
	app := []string{secrets.KeyGitHubAppID, secrets.KeyGitHubAppClientID, secrets.KeyGitHubAppInstallationID, secrets.KeyGitHubAppInstallationOwner}
	if !has(secrets.KeyGitHubAppPrivateKey) {
		if i := slices.IndexFunc(app, has); i >= 0 {
			return fault.New(fault.SecretInvalid, fault.Place{Field: "spec.secretRef.name"}, "add it", "the Secret has %s and no %s", app[i], secrets.KeyGitHubAppPrivateKey)
		}
		return nil
	}
	for _, key := range []string{secrets.KeyBearerToken, secrets.KeyPassword} {
		if has(key) && !c.ssh {
			return both(secrets.KeyGitHubAppPrivateKey, key)
		}
	}
	for i := 0; i < len(app); i += 2 {
		if has(app[i]) && has(app[i+1]) {
			return both(app[i], app[i+1])
		}
	}
	return nil
}

// meaningful are the keys of a Secret that count by themselves.
var meaningful = []string{
	secrets.KeyUsername, secrets.KeyPassword, secrets.KeyBearerToken,
	secrets.KeySSHPrivateKey, secrets.KeySSHKnownHosts, secrets.KeyCACert, secrets.KeyTLSCert, secrets.KeyTLSPrivateKey, secrets.KeyGitHubAppPrivateKey, apiTokenKey,
}

// shortage refuses a Secret that lacks what would make it count, before a host refuses to say more
// than that it will not do.
func (c credential) shortage() error {
	has := func(key string) bool { return len(c.data[key]) > 0 }
	lacks := func(remedy, what string) error {
		return fault.New(fault.SecretInvalid, fault.Place{Field: "spec.secretRef.name"},
			remedy, "%s (it has: %s)", what, keysOf(c.data))
	}
	switch {
	case !slices.ContainsFunc(meaningful, has):
		return lacks("set username and password, bearerToken, or what else kubectl explain testrepository.spec.secretRef lists",
			"the Secret has none of the keys that count")
	case c.ssh || !has(secrets.KeyUsername) && !has(secrets.KeyPassword):
		return nil
	case !has(secrets.KeyPassword) && !has(secrets.KeyBearerToken) && !has(secrets.KeyGitHubAppPrivateKey):
		return lacks("store the password or token under password", "the Secret has username but no password")
	}
	return nil
}

// keysOf names the keys of a Secret that hold something, sorted.
func keysOf(data map[string][]byte) string {
	var keys []string
	for key, value := range data {
		if len(value) > 0 {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return "nothing"
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}

func (c credential) githubApp(timeout time.Duration) *githubapp.App {
	return &githubapp.App{
		ID:                string(c.data[secrets.KeyGitHubAppID]) + string(c.data[secrets.KeyGitHubAppClientID]), // there is one
		PrivateKey:        c.data[secrets.KeyGitHubAppPrivateKey],
		InstallationID:    string(c.data[secrets.KeyGitHubAppInstallationID]),
		InstallationOwner: string(c.data[secrets.KeyGitHubAppInstallationOwner]),
		BaseURL:           string(c.data[secrets.KeyGitHubAppBaseURL]),
		CA:                c.data[secrets.KeyCACert],
		Proxy:             c.proxy,
		Timeout:           timeout,
	}
}

// proxy reads the proxy as Flux does.
func (a *Access) proxy(ctx context.Context, repo *v1alpha1.TestRepository) (*url.URL, error) {
	const field = "spec.proxySecretRef.name"
	data, err := a.secret(ctx, repo.Namespace, repo.Spec.ProxySecretRef.Name, field)
	if err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) (*url.URL, error) {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: field}, "set address to http://, https:// or socks5:// with host and port, and put the credential into username and password", format, args...)
	}
	u, err := url.Parse(string(data[secrets.KeyAddress]))
	switch {
	// The address is not shown: it may hold a password.
	case err != nil || u.Hostname() == "" || len(data[secrets.KeyAddress]) > secrets.MaxProxyURLLength:
		return wrong("the proxy's Secret %q has no address that names a host", repo.Spec.ProxySecretRef.Name)
	case !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme):
		return wrong("the proxy's address in the Secret %q is of the kind %q", repo.Spec.ProxySecretRef.Name, u.Scheme)
	}
	proxy := &url.URL{Scheme: u.Scheme, Host: u.Host, User: u.User}
	if user := data[secrets.KeyUsername]; len(user) > 0 {
		proxy.User = url.UserPassword(string(user), string(data[secrets.KeyPassword]))
	}
	return proxy, nil
}

// secret reads one by name; field is where the name stands.
func (a *Access) secret(ctx context.Context, namespace, name, field string) (map[string][]byte, error) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	var secret corev1.Secret
	err := a.reader.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: field}, "create it", "there is no Secret %q", key)
	}
	if apierrors.IsForbidden(err) {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: field},
			a.Grantee.Command(namespace, v1alpha1.RepositoryRole), "the controller may not read the Secret %q", key)
	}
	if err != nil {
		return nil, fault.New(fault.HostFailed, fault.Place{Field: field}, "", "reading the Secret %q: %w", key, err)
	}
	return secret.Data, nil
}

func isSSH(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "ssh"
}

// passwords are Flux's one key `password`: beside an SSH identity it opens the identity, and
// is nobody else's to see.
func (c credential) passwords() (ofUser string, ofIdentity []byte) {
	if c.ssh {
		return "", c.data[secrets.KeyPassword]
	}
	return string(c.data[secrets.KeyPassword]), nil
}

func (c credential) apiToken() string {
	password, _ := c.passwords()
	for _, token := range []string{string(c.data[apiTokenKey]), string(c.data[secrets.KeyBearerToken]), password} {
		if token != "" {
			return token
		}
	}
	return c.appToken
}
