package git

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// packets reads pkt-lines with the two marks that protocol version 2 added and go-git's
// scanner does not know. It allocates nothing for a line. It is not safe for concurrent use.
type packets struct {
	r     *bufio.Reader
	taken int   // bytes of r that the last payload lies in
	left  int64 // bytes that may still be read
	over  error // what it is when there are more
	ended bool  // the last line was the mark at the end
}

// packet is a kind of pkt-line.
type packet int

const (
	dataPacket packet = iota
	flushPacket
	delimiterPacket
	responseEndPacket
)

const (
	packetHead = 4
	maxPacket  = 65520 // with its head, as Git has it
)

// malformedError is an answer that is not what protocol version 2 has there.
type malformedError struct{ what string }

func (e malformedError) Error() string { return e.what }

func malformed(format string, args ...any) error {
	return malformedError{fmt.Sprintf(format, args...)}
}

// readers holds the buffers of answers that were read, for the next ones.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxPacket) }}

// newPackets reads from r with a buffer that release gives back.
func newPackets(r io.Reader) *packets {
	buffered := readers.Get().(*bufio.Reader)
	buffered.Reset(r)
	return &packets{r: buffered}
}

func (p *packets) release() {
	if p == nil || p.r == nil {
		return
	}
	p.r.Reset(nil)
	readers.Put(p.r)
	p.r = nil
}

// limit lets no more than n further bytes be read; what follows is the error.
func (p *packets) limit(n int64, over error) { p.left, p.over = n, over }

// next gives the next line. Its payload is good until the next call. A line in which the host
// refuses is a *pktline.ErrorLine. An answer ends with a mark, so its bare end is
// [io.ErrUnexpectedEOF].
func (p *packets) next() (packet, []byte, error) {
	if err := p.settle(); err != nil {
		return 0, nil, err
	}
	head, err := p.r.Peek(packetHead)
	if err != nil {
		return 0, nil, unexpected(err)
	}
	n := packetLength(head)
	switch {
	case n < 0, n > maxPacket:
		return 0, nil, malformed("a line of the length %q", head)
	case n < packetHead:
		if packet(n)+flushPacket > responseEndPacket {
			return 0, nil, malformed("a line of the length %q", head)
		}
		p.taken = packetHead
		p.ended = n == 0
		return packet(n) + flushPacket, nil, nil
	}
	if p.left -= int64(n); p.left < 0 {
		return 0, nil, p.over
	}
	line, err := p.r.Peek(n)
	if err != nil {
		return 0, nil, unexpected(err)
	}
	p.taken = n
	payload := line[packetHead:]
	if text, refused := bytes.CutPrefix(payload, []byte("ERR ")); refused {
		return 0, nil, &pktline.ErrorLine{Text: strings.TrimSpace(string(text))}
	}
	return dataPacket, payload, nil
}

// settle leaves r behind the last line, for others to read on.
func (p *packets) settle() error {
	_, err := p.r.Discard(p.taken)
	p.taken, p.ended = 0, false
	return err
}

// text is next for lines that end in a newline or not, as the sender likes.
func (p *packets) text() (packet, []byte, error) {
	kind, payload, err := p.next()
	return kind, bytes.TrimSuffix(payload, []byte("\n")), err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// packetLength reads four digits, and gives -1 when they are none.
func packetLength(head []byte) int {
	n := 0
	for _, c := range head {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		n = n<<4 | int(c)
	}
	return n
}
