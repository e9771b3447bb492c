package git

import (
	"context"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// Refs is what a host advertises. It may be shared between callers and must not be changed.
type Refs struct {
	// Default is the full name of the branch that HEAD is on, such as refs/heads/main; empty
	// for an empty repository, and when no branch stands where HEAD does.
	Default string
	// Hashes gives the commit of each ref by its full name: branches, tags (peeled), and
	// refs/pull/*/head and refs/merge-requests/*/head.
	Hashes map[string]string
}

// Refs lists the refs of a repository with exactly one request for its advertisement.
// Concurrent calls for the same URL and credential share one. An empty repository has no
// refs and is no error.
func (c *Client) Refs(ctx context.Context, e Endpoint) (Refs, error) {
	// The shared request is bound by the endpoint's timeout, not by the caller who came first.
	shared := c.listing.DoChan(e.identity(), func() (any, error) {
		var refs Refs
		err := c.operate(context.WithoutCancel(ctx), e, func(_ context.Context, _ location, s *session) error {
			refs = advertised(s.AdvRefs)
			return nil
		})
		return refs, err
	})
	select {
	case result := <-shared:
		return result.Val.(Refs), result.Err
	case <-ctx.Done():
		l, err := parseLocation(e.URL, c.options.AllowHTTP)
		if err != nil {
			return Refs{}, err
		}
		return Refs{}, classify(ctx.Err(), e, l)
	}
}

func advertised(adv *packp.AdvRefs) Refs {
	refs := Refs{Default: head(adv), Hashes: make(map[string]string, len(adv.References))}
	for name, hash := range adv.References {
		if !concerns(name) {
			continue
		}
		if peeled, ok := adv.Peeled[name]; ok {
			hash = peeled
		}
		refs.Hashes[name] = hash.String()
	}
	return refs
}

// concerns leaves out what no run is ever for, such as notes and merge results of forges.
func concerns(name string) bool {
	if strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/") {
		return true
	}
	return strings.HasSuffix(name, "/head") && (strings.HasPrefix(name, "refs/pull/") || strings.HasPrefix(name, "refs/merge-requests/"))
}

// head gives what HEAD points to. Hosts that do not say (the symref capability) are older than
// 2013 or of a different make; there the branch with the commit of HEAD is taken, main and
// master first.
func head(adv *packp.AdvRefs) string {
	for _, symref := range adv.Capabilities.Get(capability.SymRef) {
		if target, ok := strings.CutPrefix(symref, "HEAD:"); ok {
			if _, there := adv.References[target]; there {
				return target
			}
		}
	}
	if adv.Head == nil || adv.Capabilities.Supports(capability.SymRef) {
		return ""
	}
	var same []string
	for name, hash := range adv.References {
		if hash == *adv.Head && strings.HasPrefix(name, "refs/heads/") {
			same = append(same, name)
		}
	}
	sort.Strings(same)
	for _, usual := range []plumbing.ReferenceName{plumbing.Main, plumbing.Master} {
		if hash, ok := adv.References[usual.String()]; ok && hash == *adv.Head {
			return usual.String()
		}
	}
	if len(same) > 0 {
		return same[0]
	}
	return ""
}
