package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escMark stands for ESC where the XML filter met one: XML can't carry it, and clean drops the sequence behind it.
const escMark = '\uE01B'

// clean gives s as plain text: valid UTF-8, newlines as \n, no escape sequences, and U+FFFD for every other control
// character. The colours stay in the tool's own file.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n := escapeLen(s[i:], r, size); n > 0 {
			i += n
			continue
		}
		i += size
		switch {
		case r == '\r':
			if i < len(s) && s[i] == '\n' {
				continue
			}
			b.WriteByte('\n')
		case isControl(r):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r) // an invalid byte is U+FFFD already
		}
	}
	return b.String()
}

func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '#' && strings.HasPrefix(s[i:], pytestEsc) {
			return false
		} else if c >= utf8.RuneSelf {
			return isCleanUnicode(s)
		} else if isControl(rune(c)) {
			return false
		}
	}
	return true
}

func isCleanUnicode(s string) bool {
	if !utf8.ValidString(s) || strings.Contains(s, pytestEsc) {
		return false
	}
	for _, r := range s {
		if r == escMark || isControl(r) {
			return false
		}
	}
	return true
}

func isControl(r rune) bool {
	return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
}

// pytestEsc is how pytest writes the start of a colour into its XML.
const pytestEsc = "#x1B["

// escapeLen is the length of the terminal escape sequence that s starts with; 0 for none.
func escapeLen(s string, first rune, size int) int {
	switch {
	case first == '#' && strings.HasPrefix(s, pytestEsc):
		return len(pytestEsc) + csiLen(s[len(pytestEsc):])
	case first != 0x1b && first != escMark:
		return 0
	}
	rest := s[size:]
	switch {
	case rest == "":
		return size
	case rest[0] == '[':
		return size + 1 + csiLen(rest[1:])
	case rest[0] == ']':
		return size + 1 + oscLen(rest[1:])
	}
	return size
}

// csiLen measures the parameters, intermediates and final byte of a control sequence.
func csiLen(s string) int {
	i := 0
	for i < len(s) && s[i] >= 0x20 && s[i] < 0x40 {
		i++
	}
	if i < len(s) && s[i] >= 0x40 && s[i] < 0x7f {
		i++
	}
	return i
}

// oscLen measures an operating system command (a title, a link), which ends with BEL or ESC \; 0 where no end is near.
func oscLen(s string) int {
	const most = 2048
	for i := 0; i < len(s) && i < most; i++ {
		switch {
		case s[i] == 0x07:
			return i + 1
		case s[i] == 0x1b || strings.HasPrefix(s[i:], string(escMark)):
			if _, size := utf8.DecodeRuneInString(s[i:]); strings.HasPrefix(s[i+size:], `\`) {
				return i + size + 1
			}
			return i
		case s[i] == '\n':
			return 0
		}
	}
	return 0
}

// clip cuts clean text to at most limit bytes, at a rune, with an ellipsis where it fits.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const ellipsis = "…"
	tail := ellipsis
	if limit < 2*len(ellipsis) {
		tail = ""
	}
	return cutHead(s, limit-len(tail)) + tail
}

// cutHead keeps at most n bytes from the start of s, whole runes only.
func cutHead(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutTail keeps at most n bytes from the end of s, whole runes only.
func cutTail(s string, n int) string {
	i := len(s) - n
	if i <= 0 {
		return s
	}
	for i < len(s) && !utf8.RuneStart(s[i]) {
		i++
	}
	return s[i:]
}

// line gives the text as one trimmed line of at most limit bytes.
func line(s string, limit int) string {
	if len(s) <= limit && isLine(s) {
		return s
	}
	if len(s) > 8*limit {
		s = cutHead(s, 8*limit)
	}
	return clip(strings.Join(strings.Fields(clean(s)), " "), limit)
}

// isLine tells what line would leave as it is; it may err to the safe side.
func isLine(s string) bool {
	space := true
	for _, r := range s {
		if r == utf8.RuneError || r == escMark || r == '#' || isControl(r) || r != ' ' && unicode.IsSpace(r) || r == ' ' && space {
			return false
		}
		space = r == ' '
	}
	return s == "" || !space
}

// text collects output and keeps its head and its tail, limit bytes in all. The zero value with a limit is ready.
type text struct {
	limit      int
	head, tail []byte
	total      int
}

func (t *text) write(s string) {
	t.total += len(s)
	if room := t.limit/2 - len(t.head); room > 0 {
		n := min(room, len(s))
		t.head = append(t.head, s[:n]...)
		s = s[n:]
	}
	half := t.limit - t.limit/2
	if len(s) > half {
		s = s[len(s)-half:]
	}
	if len(t.tail)+len(s) > 2*half { // let it grow to twice its size, so that moving it costs little per byte
		t.tail = append(t.tail[:0], t.tail[len(t.tail)-half:]...)
	}
	t.tail = append(t.tail, s...)
}

// String gives the text clean, without blank lines around it, and within the limit.
func (t *text) String() string {
	tail := t.tail
	if half := t.limit - t.limit/2; len(tail) > half {
		tail = tail[len(tail)-half:]
	}
	if lost := t.total - len(t.head) - len(tail); lost > 0 {
		return t.join(clean(string(t.head)), clean(string(tail)), lost)
	}
	s := trimLines(clean(string(t.head) + string(tail)))
	if len(s) <= t.limit {
		return s
	}
	return t.join(s[:len(s)/2], s[len(s)/2:], 0)
}

func (t *text) join(head, tail string, lost int) string {
	mark := fmt.Sprintf("\n[… about %d bytes left out …]\n", lost+max(0, len(head)+len(tail)-t.limit))
	room := t.limit - len(mark)
	if room < len(mark) {
		return clip(strings.ToValidUTF8(head, "\uFFFD"), t.limit)
	}
	joined := cutHead(strings.TrimLeft(head, "\n"), room/2) + mark + cutTail(strings.TrimRight(tail, " \t\n"), room-room/2)
	return strings.ToValidUTF8(joined, "")
}

// trimLines removes blank lines at both ends and keeps the first line's indent.
func trimLines(s string) string {
	s = strings.TrimRight(s, " \t\n")
	for {
		first, rest, more := strings.Cut(s, "\n")
		if !more || strings.TrimSpace(first) != "" {
			return s
		}
		s = rest
	}
}
