package git

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// connection speaks upload-pack with one repository, for one operation, in protocol version 2
// or, where the host does not know it, in version 0. It is not safe for concurrent use. Its
// methods return what the network, ssh, net/http and the decoders say; classify
// makes it a fault.
//
// go-git's own transports are not used: they know no version 2, lose the kind of an error
// that the host sends, read error bodies without a bound, and cannot cancel an ssh handshake.
type connection interface {
	// advertise asks what the host speaks. It comes first, unless that is known from earlier.
	// An empty repository gives an advertisement without refs.
	advertise(ctx context.Context) (*advertisement, error)
	// command sends an encoded request of version 2. It may be called again once the answer
	// was closed.
	command(ctx context.Context, request []byte) (*answer, error)
	// uploadPack sends an encoded request of version 0 and gives the raw answer. It may be
	// called again.
	uploadPack(ctx context.Context, request []byte) (io.ReadCloser, error)
	// Close gives everything back. It is called once.
	Close() error
}

// answer is what a host says to a command of version 2. close must be called once.
type answer struct {
	*packets
	close func()
}

// want is what a fetch asks for: commits, or bare objects that are none.
type want struct {
	hashes []plumbing.Hash
	bare   bool
	// have are commits of which all folders are in the pool that the store builds on: what
	// is in them is not sent again, or as a difference to it.
	have []plumbing.Hash
	// depth is how many commits back to go, 1 when 0: the commits themselves.
	depth  int
	filter packp.Filter
}

// session is a connection with what is known of the host, ready to list refs and fetch.
type session struct {
	connection
	limits   Limits
	agent    string
	memory   *memory
	identity string // of the endpoint

	dialect    *dialect       // in version 2
	advertised *packp.AdvRefs // in version 0
	// recalled says that the dialect is one of earlier, which the host has not confirmed yet.
	recalled bool
}

// ask finds out what the host speaks, and remembers it where that saves a request.
func (s *session) ask(ctx context.Context) error {
	a, err := s.advertise(ctx)
	if err != nil {
		return err
	}
	s.dialect, s.advertised = a.dialect, a.refs
	if s.dialect != nil && s.dialect.base != nil {
		s.memory.keepDialect(s.identity, s.dialect)
	}
	return nil
}

// understood makes a request. When the host does not answer it as it would have earlier, it is
// asked what it speaks now, and the request is made once more.
func (s *session) understood(ctx context.Context, request func() error) error {
	err := request()
	if s.recalled && misunderstood(err) {
		s.memory.forgetDialect(s.identity)
		s.recalled = false
		if err := s.ask(ctx); err != nil {
			return err
		}
		return request()
	}
	s.recalled = s.recalled && err != nil
	return err
}

// misunderstood says whether an error can come from a host that does not speak version 2 any
// more, or has moved the repository. What it certainly is not: a host that cannot be reached,
// has no time for us, or does not let us in.
func misunderstood(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var status statusError
	var u *url.Error
	var n net.Error
	switch {
	case errors.As(err, new(redirectError)):
		return true
	case errors.As(err, &status):
		return !status.busy() && status.code != http.StatusUnauthorized && status.code != http.StatusForbidden
	case errors.As(err, new(limitError)), errors.As(err, &u), errors.As(err, &n):
		return false
	}
	return true
}

// partial says whether the host leaves out objects when asked.
func (s *session) partial() bool {
	if s.dialect != nil {
		return s.dialect.filter
	}
	return s.advertised.Capabilities.Supports(capability.Filter)
}

// fetch adds the wanted objects, and at their depth the trees and blobs below them, to the
// store. A refusal by the host is a *pktline.ErrorLine.
func (s *session) fetch(ctx context.Context, w want, into *store) error {
	return s.understood(ctx, func() error {
		if !s.partial() {
			w.filter = "" // it was there a moment ago
		}
		if s.dialect != nil {
			return s.fetchV2(ctx, w, into)
		}
		return s.fetchV0(ctx, w, into)
	})
}

// refused says whether the host answered a request with a refusal of its own.
func refused(err error) bool {
	var line *pktline.ErrorLine
	return errors.As(err, &line)
}
