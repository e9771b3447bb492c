package report

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxTag    = 1 << 20  // bytes of one tag; more is no report
	maxAttr   = 64 << 10 // bytes kept of one attribute
	textChunk = 32 << 10 // bytes of text per token
)

var errTagTooLong = errors.New("a tag is longer than 1 MiB")

// xmlFilter stands between a file and encoding/xml, which refuses whole files for what tools get wrong in them. It
// replaces illegal characters and references to them, escapes stray < and &, turns CDATA into text, drops comments,
// declarations and doctypes (so no entity is ever defined), and bounds what the decoder holds at once: attributes are
// cut, and text is split into tokens by empty comments. It keeps the lines' numbers.
type xmlFilter struct {
	in    *bufio.Reader
	state func(f *xmlFilter, r rune)
	err   error

	out []byte
	pos int

	text  int  // bytes of text since the last token
	tag   int  // bytes of the open tag
	attr  int  // bytes of the open attribute
	quote rune // that closes the open attribute; 0 outside
	depth int  // of brackets in a doctype
}

func newXMLFilter(in *bufio.Reader) *xmlFilter {
	return &xmlFilter{in: in, state: (*xmlFilter).inText}
}

// ReadByte is what encoding/xml calls.
func (f *xmlFilter) ReadByte() (byte, error) {
	for f.pos == len(f.out) {
		if f.err != nil {
			return 0, f.err
		}
		f.fill()
	}
	f.pos++
	return f.out[f.pos-1], nil
}

func (f *xmlFilter) Read(p []byte) (int, error) {
	b, err := f.ReadByte()
	if err != nil || len(p) == 0 {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

func (f *xmlFilter) fill() {
	f.out, f.pos = f.out[:0], 0
	for len(f.out) < 4<<10 && f.err == nil {
		r, size, err := f.in.ReadRune()
		if err != nil {
			f.err = err
			return
		}
		if r == utf8.RuneError && size == 1 {
			r = 0 // illegal, as legal makes of it what is right
		}
		f.state(f, r)
	}
}

func (f *xmlFilter) inText(r rune) {
	switch r {
	case '<':
		f.open()
	case '&':
		f.reference()
	default:
		f.emitText(r)
	}
}

// open decides what a < begins.
func (f *xmlFilter) open() {
	head, _ := f.in.Peek(8)
	switch next := string(head); {
	case strings.HasPrefix(next, "![CDATA["):
		f.skip(8)
		f.state = (*xmlFilter).inCDATA
	case strings.HasPrefix(next, "!--"):
		f.skip(3)
		f.state = (*xmlFilter).inComment
	case strings.HasPrefix(next, "!"):
		f.depth = 0
		f.state = (*xmlFilter).inDoctype
	case strings.HasPrefix(next, "?"):
		f.state = (*xmlFilter).inInstruction
	case startsName(strings.TrimPrefix(next, "/")):
		f.out = append(f.out, '<')
		f.tag, f.quote = 1, 0
		f.state = (*xmlFilter).inTag
	default:
		f.emitText('<')
	}
}

func startsName(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || r == ':' || r != utf8.RuneError && unicode.IsLetter(r)
}

func (f *xmlFilter) inTag(r rune) {
	if f.tag++; f.tag > maxTag {
		f.err = errTagTooLong
		return
	}
	switch {
	case f.quote == 0:
		if r == '"' || r == '\'' {
			f.quote, f.attr = r, 0
		}
		f.out = utf8.AppendRune(f.out, legal(r))
		if r == '>' {
			f.text = 0
			f.state = (*xmlFilter).inText
		}
	case r == f.quote:
		f.quote = 0
		f.out = utf8.AppendRune(f.out, r)
	case r == '&':
		f.reference()
	default:
		f.emitAttr(r)
	}
}

func (f *xmlFilter) inCDATA(r rune) {
	if r == ']' && f.follows("]>") {
		f.skip(2)
		f.state = (*xmlFilter).inText
		return
	}
	f.emitText(r)
}

func (f *xmlFilter) inComment(r rune) {
	if r == '-' && f.follows("->") {
		f.skip(2)
		f.state = (*xmlFilter).inText
	}
	f.dropped(r)
}

func (f *xmlFilter) inInstruction(r rune) {
	if r == '?' && f.follows(">") {
		f.skip(1)
		f.state = (*xmlFilter).inText
	}
	f.dropped(r)
}

func (f *xmlFilter) inDoctype(r rune) {
	switch {
	case r == '[':
		f.depth++
	case r == ']':
		f.depth--
	case r == '>' && f.depth <= 0:
		f.state = (*xmlFilter).inText
	}
	f.dropped(r)
}

// dropped keeps the count of lines.
func (f *xmlFilter) dropped(r rune) {
	if r == '\n' {
		f.emitText(r)
	}
}

// reference reads what follows an &: a reference to a legal character or a name stays, anything else is text.
func (f *xmlFilter) reference() {
	head, _ := f.in.Peek(12)
	name, _, closed := strings.Cut(string(head), ";")
	switch digits, numeric := strings.CutPrefix(name, "#"); {
	case closed && numeric:
		r, ok := character(digits)
		if !ok {
			f.emit('&')
			return
		}
		f.skip(len(name) + 1)
		f.emit(r)
	case closed && isEntityName(name):
		f.skip(len(name) + 1)
		f.emitEscaped("&" + name + ";")
	default:
		f.emit('&')
	}
}

// character reads the number of a reference; an illegal one is 0, which legal replaces.
func character(digits string) (rune, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return 0, false
	}
	return rune(min(n, unicode.MaxRune+1)), true
}

func isEntityName(s string) bool {
	for i, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

func (f *xmlFilter) emit(r rune) {
	if f.quote != 0 {
		f.emitAttr(r)
	} else {
		f.emitText(r)
	}
}

func (f *xmlFilter) emitAttr(r rune) {
	if f.attr < maxAttr {
		before := len(f.out)
		f.out = appendEscaped(f.out, r)
		f.attr += len(f.out) - before
	}
}

func (f *xmlFilter) emitText(r rune) {
	before := len(f.out)
	f.out = appendEscaped(f.out, r)
	f.grown(len(f.out) - before)
}

func (f *xmlFilter) emitEscaped(s string) {
	if f.quote == 0 {
		f.out = append(f.out, s...)
		f.grown(len(s))
	} else if f.attr < maxAttr {
		f.out = append(f.out, s...)
		f.attr += len(s)
	}
}

// grown ends the token after a chunk of text.
func (f *xmlFilter) grown(n int) {
	if f.text += n; f.text >= textChunk {
		f.text = 0
		f.out = append(f.out, "<!---->"...)
	}
}

func appendEscaped(out []byte, r rune) []byte {
	switch r {
	case '<':
		return append(out, "&lt;"...)
	case '>':
		return append(out, "&gt;"...)
	case '&':
		return append(out, "&amp;"...)
	case '"':
		return append(out, "&#34;"...)
	case '\'':
		return append(out, "&#39;"...)
	}
	return utf8.AppendRune(out, legal(r))
}

// legal gives the character that stands for r in XML 1.0.
func legal(r rune) rune {
	switch {
	case r == 0x1b:
		return escMark
	case r == '\t', r == '\n', r == '\r',
		r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000 && r <= unicode.MaxRune:
		return r
	}
	return utf8.RuneError
}

func (f *xmlFilter) follows(s string) bool {
	head, err := f.in.Peek(len(s))
	return err == nil && string(head) == s
}

func (f *xmlFilter) skip(n int) {
	_, _ = f.in.Discard(n) // was peeked
}

var _ io.ByteReader = (*xmlFilter)(nil)
