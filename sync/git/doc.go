// Package git is the hand that reads Git repositories: which refs there are, the files of
// a commit, and the paths that differ between two commits.
//
// An [Endpoint] (URL and credential) flows in; [Refs], a read-only [fs.FS] and sorted paths
// flow out. Everything is read as Git objects with go-git: there is no git binary, no work
// tree and no clone. [Client] talks to hosts over https and ssh, in protocol version 2 where
// they speak it: packets.go has its lines, dialect.go what a host can do, listing.go its refs,
// fetch.go its packs, and memory.go what need not be asked again. [Cache] remembers files and
// folders so that a host sends only what is new, and [Local] reads a working copy for the
// command line.
//
// A repository is hostile until shown otherwise, so bytes, counts, depth and time are bound
// by [Limits]. Every error is a fault of api/fault, classified here once, and never holds a
// credential. Repositories with SHA-256 object names are not supported, as go-git v5 is
// built for SHA-1.
//
// The package must not know of tests, kustomize, clusters or forges.
package git
