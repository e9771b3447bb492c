package status

import (
	"regexp"
	"strings"
	"unicode"
)

// Text from tests and repositories is hostile: it must not mention people, link, hide, break
// out of a cell or a fence, nor look like our marker. Forges look for mentions and references
// in the rendered text, where a backslash is gone, so those are broken by a zero-width space.
const zeroWidthSpace = "\u200b"

// escaper makes one line of text inert in Markdown and HTML. Characters that mean something
// only at the beginning of a line are left alone: the text never stands there.
var escaper = strings.NewReplacer(
	`&`, `&amp;`+zeroWidthSpace, `<`, `&lt;`, `>`, `&gt;`, `|`, `&#124;`,
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`,
	`@`, `@`+zeroWidthSpace, `#`, `#`+zeroWidthSpace, `!`, `!`+zeroWidthSpace,
	`$`, `\$`+zeroWidthSpace, `~`, `\~`+zeroWidthSpace, `%`, `%`+zeroWidthSpace, `^`, `^`+zeroWidthSpace,
	`://`, `:`+zeroWidthSpace+`//`,
)

// htmlEscaper does the same for text inside an HTML block, such as a summary, where Markdown
// is not parsed and a backslash would be shown.
var htmlEscaper = strings.NewReplacer(
	`&`, `&amp;`+zeroWidthSpace, `<`, `&lt;`, `>`, `&gt;`, `"`, `&#34;`, `'`, `&#39;`,
	`@`, `@`+zeroWidthSpace, `#`, `#`+zeroWidthSpace, `!`, `!`+zeroWidthSpace,
	`$`, `$`+zeroWidthSpace, `~`, `~`+zeroWidthSpace, `%`, `%`+zeroWidthSpace, `^`, `^`+zeroWidthSpace,
	`://`, `:`+zeroWidthSpace+`//`,
)

// links that forges find without any markup: www.example.org, GH-12, mailto:someone.
var bareLink = regexp.MustCompile(`(?i)(www)(\.)|(gh)(-)([0-9])|(mailto|xmpp)(:)`)

// inline gives hostile text as one inert line of Markdown, cut to most runes.
func inline(s string, most int) string { return escaper.Replace(unlinked(s, most)) }

// summary gives hostile text as one inert line inside an HTML block, cut to most runes.
func summary(s string, most int) string { return htmlEscaper.Replace(unlinked(s, most)) }

func unlinked(s string, most int) string {
	return bareLink.ReplaceAllString(cut(plain(s), most), "$1$3$6"+zeroWidthSpace+"$2$4$5$7")
}

// plain gives hostile text as one line without control characters; it is not escaped.
func plain(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// block gives hostile text as a fenced block, cut to most bytes.
func block(s string, most int) string { return fenced("text", s, most) }

// ending is a block of the end of hostile text, cut to its last bytes.
func ending(s string, most int) string {
	s = strings.Trim(printable(s), "\n")
	if len(s) > most {
		s = "…\n" + strings.ToValidUTF8(s[len(s)-most:], "")
	}
	return block(s, len(s))
}

// fenced is a block of a language of ours. The fence is longer than any run of backticks
// inside, so nothing in it can close it.
func fenced(language, s string, most int) string {
	s = strings.Trim(printable(s), "\n")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "\n…"
	}
	// Markdown is not parsed in a fence, but our own search for a marker is.
	s = strings.ReplaceAll(s, "<!--", "<!"+zeroWidthSpace+"--")
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + s + "\n" + fence
}

var ansi = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])`)

// printable strips ANSI sequences, control characters but for line breaks and tabs, and the
// invisible ones that reorder or hide text.
func printable(s string) string {
	s = ansi.ReplaceAllString(strings.ToValidUTF8(s, "\ufffd"), "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
			return '\n'
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co):
			return -1
		}
		return r
	}, s)
}

// cut keeps at most n runes, the last one an ellipsis when something is left out.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return strings.TrimRight(string(runes[:max(n-1, 0)]), " ") + "…"
}

func longestRun(s string, of rune) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
