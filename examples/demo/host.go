package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// host is the Gitea and the account that everything is done with.
type host struct {
	url, user, token string
}

// hostFromEnvironment reads GITEA_URL, GITEA_USER and GITEA_TOKEN.
func hostFromEnvironment() (host, error) {
	var problems []error
	get := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is not set: with devcluster, eval \"$(devcluster gitea env)\"", name))
		}
		return value
	}
	h := host{strings.TrimSuffix(get("GITEA_URL"), "/"), get("GITEA_USER"), get("GITEA_TOKEN")}
	return h, errors.Join(problems...)
}

// repository is the URL of the shop's repository.
func (h host) repository() string { return fmt.Sprintf("%s/%s/%s.git", h.url, h.user, repositoryName) }
