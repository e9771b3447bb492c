package catalog

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// maxAlternatives bounds what the braces of one glob can stand for. Matching tries them all,
// so {a,b}{a,b}… doubles its time with every pair.
const maxAlternatives = 64

// checkGlob says what is wrong with a doublestar glob.
func checkGlob(glob string) error {
	if !doublestar.ValidatePattern(glob) {
		return errors.New("a bracket, brace or backslash is left open")
	}
	if alternatives(glob) > maxAlternatives {
		return errors.New("the braces stand for more than 64 alternatives")
	}
	return nil
}

// alternatives is at least the number of globs without braces that the glob stands for.
func alternatives(glob string) int {
	product := 1
	var open []int // for each open brace the alternatives so far
	for i := 0; i < len(glob) && product <= maxAlternatives; i++ {
		switch c := glob[i]; {
		case c == '\\':
			i++
		case c == '{':
			open = append(open, 1)
		case c == ',' && len(open) > 0:
			open[len(open)-1]++
		case c == '}' && len(open) > 0:
			product *= open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
	return product
}

// literal is what every path that the glob matches begins with. A slash at its end is left out:
// a/** matches a as well.
func literal(glob string) string {
	end := strings.IndexFunc(glob, func(r rune) bool { return strings.ContainsRune(`*?[{\`, r) || r == utf8.RuneError })
	if end < 0 {
		end = len(glob)
	}
	return strings.TrimRight(glob[:end], "/")
}
