package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxValue is how many bytes of a value are shown, and around how many of them before
	// the first that differs.
	maxValue = 200
	leadIn   = 40
)

// valueText gives a value as one line; "" for what is not there.
func valueText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		if v == "" || strings.TrimSpace(v) != v || strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return strconv.Quote(v)
		}
		return v
	case []any:
		if scalars(v) {
			return listText(v)
		}
	case json.Number, bool:
		return fmt.Sprint(v)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return "?"
	}
	return printableText(strings.TrimSuffix(b.String(), "\n"))
}

// listText gives a list of scalars as YAML's flow style has it, with quotes around the texts.
func listText(list []any) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, item := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if s, isText := item.(string); isText {
			b.WriteString(strconv.Quote(s))
		} else {
			b.WriteString(valueText(item))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// presentText is "" for a list that is not there: JSON leaves empty ones out.
func presentText(list []any, text string) string {
	if list == nil {
		return ""
	}
	return text
}

// nameText gives a name for a path; one that could be taken for more than a name is quoted.
func nameText(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ']' || r == '"' }) {
		return strconv.Quote(name)
	}
	return name
}

// printableText escapes what is invisible or would move a cursor.
func printableText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// shortPair cuts both texts so that where they first differ is shown.
func shortPair(before, after string) (string, string) {
	if len(before) <= maxValue && len(after) <= maxValue {
		return before, after
	}
	from := 0
	if before != "" && after != "" {
		for from < min(len(before), len(after)) && before[from] == after[from] {
			from++
		}
		from -= leadIn
	}
	return window(before, from), window(after, from)
}

// window gives at most maxValue bytes of s from the rune at or before from, with ellipses
// where something is left out.
func window(s string, from int) string {
	from = max(min(from, len(s)-maxValue/2), 0)
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	front, end := "", len(s)
	if from > 0 {
		front = "…"
	}
	if end-from <= maxValue {
		return front + s[from:]
	}
	for end = from + maxValue; end > from && !utf8.RuneStart(s[end]); {
		end--
	}
	return front + s[from:end] + "…"
}
