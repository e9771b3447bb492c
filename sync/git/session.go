package git

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// connection speaks upload-pack (protocol version 0, the only one of go-git v5) with one
// repository, for one operation. It is not safe for concurrent use. Both methods return what
// the network, ssh, net/http and go-git's decoders say; [operation.classify] makes it a fault.
//
// go-git's own transports are not used: they lose the kind of an error that the host sends,
// read error bodies without a bound, and cannot cancel an ssh handshake.
type connection interface {
	// advertise asks for the refs and capabilities, which must come first. An empty
	// repository gives an advertisement without refs.
	advertise(ctx context.Context) (*packp.AdvRefs, error)
	// uploadPack sends an encoded request and gives the raw answer. It may be called again.
	uploadPack(ctx context.Context, request []byte) (io.ReadCloser, error)
	// Close gives everything back. It is called once.
	Close() error
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

// session is a connection with its advertisement, ready to fetch.
type session struct {
	connection
	*packp.AdvRefs
	limits Limits
	agent  string
}

// decodeAdvertisement reads an advertisement, of which no more than the limit of refs allows
// is taken in.
func decodeAdvertisement(r io.Reader, limits Limits) (*packp.AdvRefs, error) {
	// A line is a hash, a name and little else; names of 200 bytes are long.
	const line = 256
	adv := packp.NewAdvRefs()
	err := adv.Decode(limitReader(r, int64(limits.Refs)*line+64<<10, limitError{"refs", int64(limits.Refs)}))
	if err != nil && !errors.Is(err, packp.ErrEmptyAdvRefs) {
		return nil, err
	}
	if len(adv.References) > limits.Refs {
		return nil, limitError{"refs", int64(limits.Refs)}
	}
	// Leaves what go-git cannot speak out of the request. Azure DevOps insists on multi_ack,
	// which a package variable of go-git rules out for every host at once; it is left alone,
	// so Azure DevOps is not supported.
	transport.FilterUnsupportedCapabilities(adv.Capabilities)
	return adv, nil
}

// partial says whether the host leaves out blobs when asked.
func (s *session) partial() bool { return s.Capabilities.Supports(capability.Filter) }

// fetch adds the wanted objects, and at depth 1 the trees and blobs below them, to the store.
// A refusal by the host is a *pktline.ErrorLine.
func (s *session) fetch(ctx context.Context, w want, into *store) error {
	request, err := s.request(w)
	if err != nil {
		return err
	}
	var encoded bytes.Buffer
	if err := request.UploadRequest.Encode(&encoded); err != nil {
		return err
	}
	lines := pktline.NewEncoder(&encoded)
	for _, h := range request.Shallows { // as the host sees those who have only one commit each
		if err := lines.Encodef("have %s\n", h); err != nil {
			return err
		}
	}
	if err := lines.EncodeString("done\n"); err != nil {
		return err
	}
	body, err := s.uploadPack(ctx, encoded.Bytes())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // it was only read from
	limited := limitReader(body, s.limits.PackBytes, limitError{"bytes of a pack", s.limits.PackBytes})
	response := packp.NewUploadPackResponse(request)
	if err := response.Decode(io.NopCloser(limited)); err != nil {
		return err
	}
	return into.unpack(ctx, demultiplexed(response, request.Capabilities))
}

func (s *session) request(w want) (*packp.UploadPackRequest, error) {
	r := packp.NewUploadPackRequestFromCapabilities(s.Capabilities)
	r.Wants = w.hashes
	set := []capability.Capability{}
	if s.Capabilities.Supports(capability.NoProgress) {
		set = append(set, capability.NoProgress)
	}
	if !w.bare && s.Capabilities.Supports(capability.Shallow) {
		r.Depth = packp.DepthCommits(max(w.depth, 1))
		set = append(set, capability.Shallow)
		if len(w.have) > 0 {
			r.Shallows = w.have // else the host takes it that all before them is there too
			// Without it Git leaves nothing out for commits that are no parents.
			set = append(set, capability.ThinPack)
		}
	}
	if w.filter != "" {
		r.Filter = w.filter
		set = append(set, capability.Filter)
	}
	for _, c := range set {
		if err := r.Capabilities.Set(c); err != nil {
			return nil, err
		}
	}
	if r.Capabilities.Supports(capability.Agent) {
		if err := r.Capabilities.Set(capability.Agent, s.agent); err != nil {
			return nil, err
		}
	}
	return r, r.Validate()
}

func demultiplexed(r io.Reader, spoken *capability.List) io.Reader {
	switch {
	case spoken.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case spoken.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}

// refused says whether the host answered a request with a refusal of its own.
func refused(err error) bool {
	var line *pktline.ErrorLine
	return errors.As(err, &line)
}
