package git

import (
	"bytes"
	"context"
	"io"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// fetchV2 fetches in version 2.
func (s *session) fetchV2(ctx context.Context, w want, into *store) error {
	request, err := s.dialect.fetch(s.agent, w)
	if err != nil {
		return err
	}
	answer, err := s.command(ctx, request)
	if err != nil {
		return err
	}
	defer answer.close()
	answer.limit(s.limits.PackBytes, limitError{"bytes of a pack", s.limits.PackBytes})
	pack, err := answer.pack()
	if err != nil {
		return err
	}
	s.recalled = false // it speaks it still; from here on the store changes
	if err := into.unpack(ctx, pack); err != nil {
		return err
	}
	// To the end mark, so that the connection can be used again.
	answer.limit(maxPacket, malformed("more than a pack"))
	_, err = io.Copy(io.Discard, pack)
	return err
}

// fetch encodes a request.
func (d *dialect) fetch(agent string, w want) ([]byte, error) {
	arguments := []string{"no-progress\n", "ofs-delta\n"}
	if !w.bare && d.shallow {
		arguments = append(arguments, "deepen "+strconv.Itoa(max(w.depth, 1))+"\n")
		if len(w.have) > 0 {
			// Without it Git leaves nothing out for commits that are no parents.
			arguments = append(arguments, "thin-pack\n")
		}
		for _, hash := range w.have { // else the host takes it that all before them is there too
			arguments = append(arguments, "shallow "+hash.String()+"\n", "have "+hash.String()+"\n")
		}
	}
	if w.filter != "" {
		arguments = append(arguments, "filter "+string(w.filter)+"\n")
	}
	for _, hash := range w.hashes {
		arguments = append(arguments, "want "+hash.String()+"\n")
	}
	return d.command("fetch", agent, append(arguments, "done\n")...)
}

// pack passes over the sections before the pack, and gives the pack. What follows it, up to
// the end mark, is read with it.
func (p *packets) pack() (io.Reader, error) {
	for {
		kind, line, err := p.text()
		if err != nil {
			return nil, err
		}
		switch section := string(line); {
		case kind != dataPacket:
			return nil, malformed("an answer without a pack")
		case section == "packfile":
			return &packReader{packets: p}, nil
		case section != "shallow-info" && section != "acknowledgments":
			return nil, malformed("an answer with the section %q", clip(section))
		}
		for kind == dataPacket {
			if kind, _, err = p.next(); err != nil {
				return nil, err
			}
		}
		if kind != delimiterPacket {
			return nil, malformed("an answer that ends before its pack")
		}
	}
}

// packReader takes the pack out of lines whose first byte says what they are. It ends at the
// end mark.
type packReader struct {
	*packets
	rest []byte
	err  error
}

const (
	packBand     = 1
	progressBand = 2
	errorBand    = 3
)

// remoteError is what a host says when it gives up in the middle of a pack.
type remoteError struct{ said string }

func (e remoteError) Error() string { return "the host gave up: " + e.said }

func (r *packReader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.err == nil {
			r.rest, r.err = r.band()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// band gives the next part of the pack, which may be empty.
func (r *packReader) band() ([]byte, error) {
	kind, payload, err := r.next()
	switch {
	case err != nil:
		return nil, err
	case kind == flushPacket:
		return nil, io.EOF
	case kind != dataPacket || len(payload) == 0:
		return nil, malformed("a mark inside of a pack")
	}
	switch payload[0] {
	case packBand:
		return payload[1:], nil
	case progressBand:
		return nil, nil
	case errorBand:
		return nil, remoteError{firstLine(string(payload[1:]))}
	}
	return nil, malformed("band %d of a pack", payload[0])
}

// fetchV0 fetches in version 0.
func (s *session) fetchV0(ctx context.Context, w want, into *store) error {
	request, err := s.requestV0(w)
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

func (s *session) requestV0(w want) (*packp.UploadPackRequest, error) {
	has := s.advertised.Capabilities
	r := packp.NewUploadPackRequestFromCapabilities(has)
	r.Wants = w.hashes
	set := []capability.Capability{}
	if has.Supports(capability.NoProgress) {
		set = append(set, capability.NoProgress)
	}
	if !w.bare && has.Supports(capability.Shallow) {
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
