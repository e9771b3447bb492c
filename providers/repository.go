package providers

import (
	"net/url"
	"strings"

	"github.com/assay-dev/assay/api/fault"
)

// Repository names a repository on a forge.
type Repository struct {
	// Owner is a user, an organisation, or a path of groups.
	Owner string
	// Name without .git.
	Name string
}

// String gives owner/name.
func (r Repository) String() string { return r.Owner + "/" + r.Name }

// Locate gives the root of the forge's API and the repository that the configuration
// names. Faults: InvalidSpec, naming the field of the TestRepository.
func (c Config) Locate() (root *url.URL, repository Repository, err error) {
	git, err := url.Parse(c.URL)
	if err != nil {
		// The parser's text is not shown: it repeats the URL, which may hold a password.
		return nil, Repository{}, invalid("spec.url", "", "not a URL")
	}
	if c.APIURL != "" {
		if root, err = url.Parse(c.APIURL); err != nil {
			return nil, Repository{}, invalid("spec.apiURL", "", "not a URL")
		}
	} else {
		root = &url.URL{Scheme: git.Scheme, Host: git.Host}
	}
	if root.Host == "" || (root.Scheme != "https" && root.Scheme != "http") {
		return nil, Repository{}, invalid("spec.apiURL", "set it to the root of the forge, such as https://git.example.org",
			"the forge's API cannot be guessed from %q", git.Redacted())
	}
	root = &url.URL{Scheme: root.Scheme, Host: root.Host, Path: strings.TrimRight(root.Path, "/")}

	path := git.Path
	if git.Scheme == "http" || git.Scheme == "https" {
		path = strings.TrimPrefix(path, root.Path+"/")
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	owner, name := path[:max(strings.LastIndex(path, "/"), 0)], path[strings.LastIndex(path, "/")+1:]
	if owner == "" || name == "" || strings.Contains("/"+path+"/", "/../") || strings.Contains("/"+path+"/", "/./") {
		return nil, Repository{}, invalid("spec.url", "it ends in owner/name", "no repository in %q", git.Redacted())
	}
	return root, Repository{Owner: owner, Name: name}, nil
}

func invalid(field, remedy, format string, args ...any) error {
	return fault.New(fault.InvalidSpec, fault.Place{Field: field}, remedy, format, args...)
}
