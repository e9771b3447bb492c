package git

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/assay-dev/assay/api/fault"
)

// protocolVersion asks for version 2, in the header Git-Protocol and in the variable
// GIT_PROTOCOL. Hosts that do not know it answer in version 0.
const protocolVersion = "version=2"

// advertisement is what a host says of itself: a dialect of version 2, or everything that
// version 0 has.
type advertisement struct {
	dialect *dialect
	refs    *packp.AdvRefs // nil in version 2
}

// dialect is what a host can do in version 2. It does not change once known.
type dialect struct {
	base         *url.URL // over https, where the first redirects led
	agent        bool     // it takes the name of the client
	objectFormat bool     // it takes the kind of object names
	shallow      bool     // fetch may stop at a depth
	filter       bool     // fetch may leave objects out
}

// maxCapabilities is far above the dozen or so that hosts have.
const maxCapabilities = 1000

// decodeAdvertisement reads what a host says first, in whichever version it does.
func decodeAdvertisement(p *packets, limits Limits) (*advertisement, error) {
	switch advertisedVersion(p.r) {
	case 2:
		d, err := decodeDialect(p)
		return &advertisement{dialect: d}, err
	case 1: // is version 0 with a line before
		p.limit(maxPacket, malformed("a line without an end"))
		if _, _, err := p.next(); err != nil {
			return nil, err
		}
	}
	if err := p.settle(); err != nil {
		return nil, err
	}
	refs, err := decodeRefs(p.r, limits)
	return &advertisement{refs: refs}, err
}

// serviceLine comes first over https, though Git itself leaves it out in version 2.
const serviceLine = "# service=git-upload-pack"

// advertisedVersion looks ahead, and passes over the service line of other versions than 0.
// It never waits for more than the host has to send.
func advertisedVersion(r *bufio.Reader) int {
	offset := 0
	line, n := lineAhead(r, 0)
	if line == serviceLine {
		offset = n + len("0000")
		line, _ = lineAhead(r, offset)
	}
	version := map[string]int{"version 1": 1, "version 2": 2}[line]
	if version != 0 {
		_, _ = r.Discard(offset) // it was looked at
	}
	return version
}

// lineAhead gives the line that begins offset bytes ahead and its length, when it is one of
// few bytes.
func lineAhead(r *bufio.Reader, offset int) (string, int) {
	head, _ := r.Peek(offset + packetHead)
	if len(head) < offset+packetHead {
		return "", 0
	}
	n := packetLength(head[offset:])
	if n < packetHead || n > 100 {
		return "", 0
	}
	ahead, err := r.Peek(offset + n)
	if err != nil {
		return "", 0
	}
	return strings.TrimSuffix(string(ahead[offset+packetHead:]), "\n"), n
}

// decodeRefs reads the advertisement of version 0, of which no more than the limit of refs
// allows is taken in.
func decodeRefs(r io.Reader, limits Limits) (*packp.AdvRefs, error) {
	adv := packp.NewAdvRefs()
	err := adv.Decode(limitReader(r, refsBytes(limits), limitError{"refs", int64(limits.Refs)}))
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

// refsBytes is how much a list of refs may weigh. A line is a hash, a name and little else;
// names of 200 bytes are long.
func refsBytes(limits Limits) int64 { return int64(limits.Refs)*256 + 64<<10 }

// decodeDialect reads the capabilities of version 2, from the line with the version on.
func decodeDialect(p *packets) (*dialect, error) {
	p.limit(1<<20, malformed("more than a megabyte of capabilities"))
	d := &dialect{}
	commands := 0
	for range maxCapabilities {
		kind, line, err := p.text()
		switch {
		case err != nil:
			return nil, err
		case kind == flushPacket && commands == 2:
			return d, nil
		case kind == flushPacket:
			return nil, malformed("the commands ls-refs and fetch are not both there")
		case kind != dataPacket:
			return nil, malformed("a mark among the capabilities")
		}
		name, value, _ := strings.Cut(string(line), "=")
		switch name {
		case "agent":
			d.agent = true
		case "object-format":
			if d.objectFormat = true; value != "sha1" {
				return nil, fault.New(fault.InvalidSpec, fault.Place{}, "", "repositories with object names of the kind %q are not supported", clip(value))
			}
		case "ls-refs":
			commands++
		case "fetch":
			commands++
			for feature := range strings.FieldsSeq(value) {
				d.shallow = d.shallow || feature == "shallow"
				d.filter = d.filter || feature == "filter"
			}
		}
	}
	return nil, malformed("more than %d capabilities", maxCapabilities)
}

// command encodes a request: the command, what is said of the client, and the arguments.
func (d *dialect) command(name, agent string, arguments ...string) ([]byte, error) {
	var b bytes.Buffer
	lines := pktline.NewEncoder(&b)
	head := []string{"command=" + name + "\n"}
	if d.agent {
		head = append(head, "agent="+agent+"\n")
	}
	if d.objectFormat {
		head = append(head, "object-format=sha1\n")
	}
	if err := lines.EncodeString(head...); err != nil {
		return nil, err
	}
	b.WriteString("0001")
	if err := lines.EncodeString(arguments...); err != nil {
		return nil, err
	}
	err := lines.Flush()
	return b.Bytes(), err
}
