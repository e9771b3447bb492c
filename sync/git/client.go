package git

import (
	"context"
	"errors"
	"io/fs"
	"net"
)

// Options configures a [Client]. Its zero value is fit for use.
type Options struct {
	// Limits bounds what is read; zero fields mean their defaults.
	Limits Limits
	// AllowHTTP admits http:// URLs, where everybody on the way reads the credential.
	AllowHTTP bool
	// PerHost is how many operations may run on one host at once, 8 by default.
	PerHost int
	// UserAgent is what hosts see, "assay" by default.
	UserAgent string
	// Dial opens connections, for https and ssh alike; by default a dialer that refuses
	// link-local addresses, where cloud providers keep machine credentials.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client reads repositories on hosts. It is safe for concurrent use and keeps nothing but
// idle connections between calls.
type Client struct {
	options Options
}

// New gives a client with the options.
func New(options Options) *Client { return &Client{options: options} }

// Refs is what a host advertises. It may be shared between callers and must not be changed.
type Refs struct {
	// Default is the full name of the ref that HEAD points to, such as refs/heads/main; empty
	// for an empty repository or a detached HEAD.
	Default string
	// Hashes gives the commit of each ref by its full name: branches, tags (peeled), and
	// refs/pull/*/head and refs/merge-requests/*/head.
	Hashes map[string]string
}

// TreeHasher is implemented by every [fs.FS] of this package. Equal hashes mean equal content,
// so a caller may skip what it has already done for one.
type TreeHasher interface {
	// TreeHash gives the Git object name of the file or folder at the path ("." for the root
	// of the repository), and whether it is there.
	TreeHash(path string) (hash string, ok bool)
}

var errUnfinished = errors.New("not written yet")

// Refs lists the refs of a repository with exactly one request for its advertisement.
// Concurrent calls for the same URL and credential share one. An empty repository has no
// refs and is no error.
func (c *Client) Refs(ctx context.Context, e Endpoint) (Refs, error) { return Refs{}, errUnfinished }

// Tree reads the files below path ("tests", or "" for all) of a commit, given by its full
// hash. The result is rooted at the root of the repository, so names read tests/a.yaml; it is
// read-only, in memory and safe for concurrent use, and implements [fs.ReadDirFS],
// [fs.ReadFileFS], [fs.StatFS] and [TreeHasher]. A path that the commit lacks is no error:
// the result says [fs.ErrNotExist] for it. Symlinks and submodules are listed as
// [fs.ModeSymlink] and [fs.ModeIrregular], and opening one is a SymlinkRefused fault; Git LFS
// pointers are plain files. A commit that is not there (any more) is a RefNotFound fault.
func (c *Client) Tree(ctx context.Context, e Endpoint, commit, path string) (fs.FS, error) {
	return nil, errUnfinished
}

// Changed lists the paths that differ between the trees of two commits, sorted; a rename
// gives both names, a deletion the old one. known is false, without an error, when base is
// empty, all zeros or not there any more, or when too much differs to list it; the caller
// must then assume that everything changed. A head that is not there is a RefNotFound fault.
func (c *Client) Changed(ctx context.Context, e Endpoint, base, head string) (paths []string, known bool, err error) {
	return nil, false, errUnfinished
}
