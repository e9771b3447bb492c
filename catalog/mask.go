package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	// masked stands for a value that looks like a secret.
	masked = "***"
	// changedMark follows it where the value is another than before.
	changedMark = " (changed)"

	// maskedBytes is how much of a suite a difference searches for secrets, on both sides
	// together, and maskedText of one text: searching takes about a microsecond a byte, and
	// one patch can put a long text into every suite. Only the size of what is longer is told.
	maskedBytes, maskedText = 32 << 10, 4 << 10
	// longestName is beyond what a flag or variable is called.
	longestName = 256
)

// Masked gives two renderings of a suite as JSON has them, apiVersion, kind, name, labels and
// spec, in a form that anybody may read: values of variables and flags whose name looks
// secret, credentials in URLs and bearer tokens are ***, and "*** (changed)" after where the
// value differs. References to Secrets hold no value and stay. nil gives nil.
func Masked(before, after *v1alpha1.TestSuite) (b, a any) {
	m := masker{left: math.MaxInt, longest: math.MaxInt}
	return m.before(plainTree(before)), m.after(plainTree(after))
}

// plainTree gives a suite as JSON has it, without what only a cluster knows.
func plainTree(s *v1alpha1.TestSuite) any {
	if s == nil {
		return nil
	}
	bare := v1alpha1.TestSuite{Spec: s.Spec}
	bare.Name, bare.Labels = s.Name, s.Labels
	bare.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.TestSuiteKind))
	data, err := json.Marshal(bare)
	if err != nil { // the digest of such a suite could not have been computed either
		return nil
	}
	tree, ok := decoded(data).(map[string]any)
	if metadata, has := tree["metadata"].(map[string]any); ok && has {
		delete(metadata, "creationTimestamp") // null before it is set
	}
	return tree
}

// secretName matches names of variables and flags that tend to hold secrets.
const secretName = `[\w.-]*(?:token|passw|passphrase|pwd|secret|credential|jwt|cookie|dsn|connection_?string|authorization|(?:key|auth)s?(?:\b|[_.-]))[\w.-]*`

var (
	secretNamed = regexp.MustCompile(`(?i)^` + secretName + `$`)
	secretFlag  = regexp.MustCompile(`(?i)^--?` + secretName + `$`)
	// credentials are what looks like a secret inside a text; the first group stays.
	credentials = []*regexp.Regexp{
		regexp.MustCompile(`(://)[^/\s@]+(@)`),
		regexp.MustCompile(`(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}()`),
		regexp.MustCompile(`(?i)(` + secretName + `=)[^\s'"&]+()`),
	}
	// variable is a reference, not a value.
	variable = regexp.MustCompile(`^\$(?:\w+|\(\w+\)|\{\w+\})$`)
)

// masker masks two trees; it remembers what it masked in the earlier one.
type masker struct {
	// left is how many bytes may still be searched, and longest how many of one text.
	left, longest int
	marks         bool
	// seen holds the values masked in the earlier tree by the name or text they stood in.
	seen map[string]map[string]bool
}

func (m *masker) before(tree any) any {
	m.seen = map[string]map[string]bool{}
	return m.mask(tree)
}

func (m *masker) after(tree any) any {
	m.marks = true
	return m.mask(tree)
}

// mask changes maps and lists in place.
func (m *masker) mask(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		name, named := v["name"].(string)
		for key, value := range v {
			text, isText := value.(string)
			if isText && key == "value" && named && text != "" && isSecretName(name) && !variable.MatchString(text) {
				v[key] = m.told(name, masked, text)
				continue
			}
			v[key] = m.mask(value)
		}
	case []any:
		flag := ""
		for i, item := range v {
			text, isText := item.(string)
			switch {
			case isText && flag != "" && !strings.HasPrefix(text, "-") && !variable.MatchString(text):
				v[i] = m.told(flag, masked, text)
			default:
				v[i] = m.mask(item)
			}
			if flag = ""; isText && len(text) <= longestName && secretFlag.MatchString(text) {
				flag = text
			}
		}
	case string:
		if hidden := m.maskText(v); hidden != v {
			return m.told(hidden, hidden, v)
		}
	}
	return tree
}

func isSecretName(name string) bool { return len(name) > longestName || secretNamed.MatchString(name) }

// told gives the text in place of a secret, with a mark when it was another one before.
func (m *masker) told(where, text, secret string) string {
	switch values, known := m.seen[where]; {
	case !m.marks:
		if !known {
			m.seen[where] = map[string]bool{}
		}
		m.seen[where][secret] = true
	case known && !values[secret]:
		return text + changedMark
	}
	return text
}

// maskText hides what looks like a secret inside a text.
func (m *masker) maskText(s string) string {
	if len(s) > min(m.left, m.longest) {
		return fmt.Sprintf("(%d bytes)", len(s))
	}
	m.left -= len(s)
	if !strings.ContainsAny(s, "@= ") {
		return s
	}
	for _, c := range credentials {
		s = c.ReplaceAllStringFunc(s, func(found string) string {
			parts := c.FindStringSubmatch(found)
			if variable.MatchString(strings.TrimSuffix(strings.TrimPrefix(found, parts[1]), parts[2])) {
				return found
			}
			return parts[1] + masked + parts[2]
		})
	}
	return s
}
