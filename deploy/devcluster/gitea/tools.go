//go:build tools

// Package gitea pins the version of Gitea that devcluster builds from its Go module.
package gitea

import _ "code.gitea.io/gitea"
