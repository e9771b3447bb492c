package report

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
)

var xmlEncoding = regexp.MustCompile(`<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// utf8Reader gives a file's XML as UTF-8: by its byte order mark, by its declaration, else as it is. The label is the
// declared encoding that nobody knows; empty as a rule.
func utf8Reader(r io.Reader) (out *bufio.Reader, unknown string) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(1024)
	enc := byteOrder(head)
	if enc == nil {
		enc, unknown = declared(head)
	}
	if enc == nil {
		if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
			_, _ = in.Discard(3)
		}
		return in, unknown
	}
	return bufio.NewReaderSize(enc.NewDecoder().Reader(in), 64<<10), unknown
}

// byteOrder knows UTF-16 by its mark, or by the zero beside the first bracket; nil for anything else.
func byteOrder(head []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("<\x00")):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\x00<")):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	}
	return nil
}

// declared is the encoding that the declaration names; nil for UTF-8, and for a UTF-16 that can't be true, since the
// declaration was legible.
func declared(head []byte) (enc encoding.Encoding, unknown string) {
	match := xmlEncoding.FindSubmatch(head)
	if match == nil {
		return nil, ""
	}
	label := strings.ToLower(string(match[1]))
	enc, name := charset.Lookup(label)
	switch {
	case strings.HasPrefix(name, "utf-"), strings.HasPrefix(label, "utf"), strings.HasPrefix(label, "ucs"):
		return nil, ""
	case enc == nil, name == "replacement":
		return nil, string(match[1])
	}
	return enc, ""
}
