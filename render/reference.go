package render

import (
	"path"
	"regexp"
	"strings"
)

// urlLike are the forms that kustomize or git take for something remote: a scheme, a query
// such as ?ref=, user@host, host:path, go-getter's double colon and double slash, and GitHub's
// name in any case.
var urlLike = regexp.MustCompile(`(?i)://|^[a-z]+::|[?]|^[^/]*@|^[^/]+:|//|^github\.com/`)

// hostLike is a first folder that reads as a name of a host, or any folder that reads as a
// repository.
var hostLike = regexp.MustCompile(`(?i)^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}/|\.git(/|$)`)

// remote says whether a reference is written as something outside the repository. Names that
// only look like a host may be folders, which is for the caller to find out.
func remote(reference string) (certain, likely bool) {
	return urlLike.MatchString(reference), hostLike.MatchString(reference)
}

// within joins a reference with the folder of the kustomization that names it; ok is false
// when it is absolute or leaves the tree.
func within(dir, reference string) (target string, ok bool) {
	if strings.HasPrefix(reference, "/") || strings.ContainsAny(reference, "\\\x00") {
		return "", false
	}
	target = path.Join(dir, reference)
	return target, target != ".." && !strings.HasPrefix(target, "../")
}
