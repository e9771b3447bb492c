package git

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// Prefixes of refs to ask for. Longer ones, such as refs/heads/release/, cost less.
const (
	Branches      = "refs/heads/"
	Tags          = "refs/tags/"
	PullRequests  = "refs/pull/"           // GitHub, Gitea
	MergeRequests = "refs/merge-requests/" // GitLab
)

// Refs is what a host has. It may be shared between callers and must not be changed.
type Refs struct {
	// Default is the full name of the branch that HEAD is on, such as refs/heads/main; empty
	// for an empty repository, and when no branch stands where HEAD does.
	Default string
	// Hashes gives the commit of each ref by its full name: branches, tags (peeled), and
	// refs/pull/*/head and refs/merge-requests/*/head. The default branch is among them.
	Hashes map[string]string
}

// Refs lists the default branch of a repository, and the refs below the prefixes. It takes
// one request to the host, and over https one more the first time. Where the host does not
// change its answer, the same Refs are given again and next to nothing is allocated.
// Concurrent calls for the same URL, credential and prefixes share one. An empty repository
// has no refs and is no error.
func (c *Client) Refs(ctx context.Context, e Endpoint, prefixes ...string) (Refs, error) {
	leave, err := c.share(ctx, e)
	if err != nil {
		return Refs{}, err
	}
	defer leave()
	prefixes = shortest(prefixes)
	// The shared request is bound by the endpoint's timeout, not by the caller who came first.
	shared := c.listing.DoChan(e.identity()+strings.Join(prefixes, " "), func() (any, error) {
		var refs Refs
		err := c.operate(context.WithoutCancel(ctx), e, func(ctx context.Context, _ location, s *session) (err error) {
			refs, err = s.refs(ctx, prefixes)
			return err
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

// shortest sorts prefixes and leaves out those that another one covers.
func shortest(prefixes []string) []string {
	var kept []string
	for _, p := range slices.Sorted(slices.Values(prefixes)) {
		if len(kept) == 0 || !strings.HasPrefix(p, kept[len(kept)-1]) {
			kept = append(kept, p)
		}
	}
	return kept
}

// refs lists them in the version that the host speaks.
func (s *session) refs(ctx context.Context, prefixes []string) (refs Refs, err error) {
	err = s.understood(ctx, func() error {
		if s.dialect == nil {
			refs = advertised(s.advertised, prefixes)
			return nil
		}
		last := s.memory.listing(s.identity, prefixes)
		asked := prefixes
		if last != nil {
			asked = last.prefixes
		}
		now, err := s.list(ctx, asked, last)
		if err == nil && now.detached && !slices.Contains(asked, Branches) {
			// Only all branches tell which one stands where HEAD does.
			now, err = s.list(ctx, shortest(append(slices.Clone(asked), Branches)), nil)
		}
		if err != nil {
			return err
		}
		if now != last {
			s.memory.keepListing(s.identity, prefixes, now)
		}
		refs = now.refs
		return nil
	})
	return refs, err
}

// list asks for refs, in version 2.
func (s *session) list(ctx context.Context, prefixes []string, last *listing) (*listing, error) {
	request, err := s.dialect.lsRefs(s.agent, prefixes)
	if err != nil {
		return nil, err
	}
	answer, err := s.command(ctx, request)
	if err != nil {
		return nil, err
	}
	defer answer.close()
	return decodeListing(answer.packets, prefixes, last, s.limits)
}

// advertised picks from what version 0 lists.
func advertised(adv *packp.AdvRefs, prefixes []string) Refs {
	refs := Refs{Default: head(adv), Hashes: map[string]string{}}
	for name, hash := range adv.References {
		wanted := name == refs.Default || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
		if !wanted || !concerns(name) {
			continue
		}
		if peeled, ok := adv.Peeled[name]; ok {
			hash = peeled
		}
		refs.Hashes[name] = hash.String()
	}
	return refs
}

// concerns leaves out what no run is ever for, such as notes and merge results of forges, and
// names that cannot be written into an object of the cluster.
func concerns(name string) bool {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return false
	}
	if strings.HasPrefix(name, Branches) || strings.HasPrefix(name, Tags) {
		return true
	}
	return strings.HasSuffix(name, "/head") && (strings.HasPrefix(name, PullRequests) || strings.HasPrefix(name, MergeRequests))
}

// head gives what HEAD points to. Hosts that do not say (the symref capability) are older than
// 2013 or of a different make, or HEAD is detached.
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
	all := map[string]string{}
	for name, hash := range adv.References {
		if hash == *adv.Head {
			all[name] = hash.String()
		}
	}
	return branchAt(adv.Head.String(), all)
}

// branchAt gives the branch at a commit, main and master before others.
func branchAt(commit string, hashes map[string]string) string {
	first := ""
	for name, hash := range hashes {
		if hash == commit && strings.HasPrefix(name, Branches) && (first == "" || name < first) {
			first = name
		}
	}
	for _, usual := range []plumbing.ReferenceName{plumbing.Main, plumbing.Master} {
		if hashes[usual.String()] == commit {
			return usual.String()
		}
	}
	return first
}
