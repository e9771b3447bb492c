package main

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/runner/report"
)

const (
	masked = "***"
	// shortestSecret: masking shorter values would leave no text readable, and hide nothing that cannot be guessed.
	shortestSecret = 4
)

// plain are the variables that every container has and that hold no secret, for when everything else is one.
var plain = []string{
	"PATH", "HOME", "HOSTNAME", "PWD", "USER", "SHELL", "SHLVL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR",
	"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBERNETES_SERVICE_PORT_HTTPS", "KUBERNETES_PORT", "KUBERNETES_PORT_443_TCP",
	"KUBERNETES_PORT_443_TCP_PROTO", "KUBERNETES_PORT_443_TCP_PORT", "KUBERNETES_PORT_443_TCP_ADDR",
}

// ordinary are values that are no secrets worth masking: a short word, true or false, a number, a version or a
// duration, such as test, local, 8080, v1.26.1 or 30s.
var ordinary = regexp.MustCompile(`^([a-z]{1,12}|(?i:true|false)|v?[0-9]{1,8}(\.[0-9]{1,4}){0,3}[a-z]{0,2})$`)

// namesSecret are words in the names of variables whose values are secrets, whatever they look like.
var namesSecret = regexp.MustCompile(`(?i)pass|secret|token|key|credential|auth|(^|_)(pin|pwd)($|_)`)

// mayBeSecret is for when nobody knows which variables come from a Secret: then those of the image count too, and
// masking the "test" of its NODE_ENV would make every text unreadable, and cases of different names one. An ordinary
// value is left readable, unless the variable's name tells of a secret.
func mayBeSecret(name, value string) bool {
	return namesSecret.MatchString(name) || !ordinary.MatchString(strings.TrimSpace(value))
}

// masker replaces secrets in texts that leave the pod other than by its log.
type masker struct {
	forms    map[string]bool
	replacer *strings.Replacer
	longest  int // bytes of the longest text that is replaced
}

// newMasker takes the values of the variables that are secret: those named, or with allButNamed all but these and what
// cannot be a secret.
func newMasker(environment, named []string, allButNamed bool) *masker {
	forms := map[string]bool{}
	for _, e := range environment {
		name, value, _ := strings.Cut(e, "=")
		hidden := slices.Contains(named, name) != allButNamed
		if allButNamed {
			hidden = hidden && !slices.Contains(plain, name) && mayBeSecret(name, value)
		}
		if hidden {
			addForms(forms, value)
		}
	}
	return maskerOf(forms)
}

// with gives a masker that hides the text as well.
func (m *masker) with(secret string) *masker {
	forms := maps.Clone(m.forms)
	addForms(forms, secret)
	return maskerOf(forms)
}

func maskerOf(forms map[string]bool) *masker {
	var all []string
	for form := range forms {
		all = append(all, form)
	}
	// The longest first: the replacer takes the first that fits.
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	m := &masker{forms: forms}
	var pairs []string
	for _, form := range all {
		pairs = append(pairs, form, masked)
		m.longest = max(m.longest, len(form))
	}
	m.replacer = strings.NewReplacer(pairs...)
	return m
}

// addForms adds the ways in which a secret shows up: as it is, its lines, and encoded.
func addForms(forms map[string]bool, secret string) {
	secret = strings.TrimSpace(secret)
	if len(secret) < shortestSecret {
		return
	}
	lines := strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' || r == '\r' })
	for _, text := range append(lines, secret) {
		if len(strings.TrimSpace(text)) < shortestSecret {
			continue
		}
		forms[text] = true
		forms[strings.TrimSpace(text)] = true
		for _, escaped := range []string{url.QueryEscape(text), url.PathEscape(text)} {
			forms[escaped] = true
			forms[percents.ReplaceAllStringFunc(escaped, strings.ToLower)] = true
		}
		for _, entities := range inHTML {
			forms[entities.Replace(text)] = true
		}
		forms[hex.EncodeToString([]byte(text))] = true
		forms[strings.ToUpper(hex.EncodeToString([]byte(text)))] = true
		if quoted, err := json.Marshal(text); err == nil {
			forms[string(quoted[1:len(quoted)-1])] = true
		}
		for offset := range 3 {
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				if form := inBase64(encoding, text, offset); len(form) >= shortestSecret {
					forms[form] = true
				}
			}
		}
	}
}

// percents are escaped bytes of a URL, in the upper case that RFC 3986 asks for; many write them in lower case.
var percents = regexp.MustCompile(`%[0-9A-F]{2}`)

// inHTML are the ways in which templates of HTML and XML write what has a meaning there.
var inHTML = []*strings.Replacer{
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;"),
	strings.NewReplacer("&", "&#38;", "<", "&#60;", ">", "&#62;", `"`, "&#34;", "'", "&#39;"),
	strings.NewReplacer("&", "&#x26;", "<", "&#x3C;", ">", "&#x3E;", `"`, "&#x22;", "'", "&#x27;", "+", "&#x2B;", "/", "&#x2F;", "=", "&#x3D;"),
}

// inBase64 gives the characters that stand for the text and nothing else, when offset bytes (modulo 3) come before it,
// as a user name and a colon do in basic authentication.
func inBase64(encoding *base64.Encoding, text string, offset int) string {
	encoded := encoding.EncodeToString(append(make([]byte, offset), text...))
	begin := (offset*8 + 5) / 6
	end := (offset + len(text)) * 8 / 6
	if begin >= end {
		return ""
	}
	return encoded[begin:end]
}

func (m *masker) text(s string) string { return m.replacer.Replace(s) }

// outcome masks every text of the outcome, before anything is cut.
func (m *masker) outcome(o report.Outcome) report.Outcome {
	o.Message = m.text(o.Message)
	o.Output = m.text(o.Output)
	o.Warnings = slices.Clone(o.Warnings)
	for i, w := range o.Warnings {
		o.Warnings[i] = m.text(w)
	}
	o.Failures = slices.Clone(o.Failures)
	for i, c := range o.Failures {
		o.Failures[i] = report.Case{
			Suite: m.text(c.Suite), ClassName: m.text(c.ClassName), Name: m.text(c.Name), File: m.text(c.File), Message: m.text(c.Message),
			Line: c.Line, Ordinal: c.Ordinal, Status: c.Status, Flaky: c.Flaky, Attempts: c.Attempts, Duration: c.Duration,
		}
	}
	return o
}
