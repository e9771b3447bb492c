package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// JSON encodes a value so that whoever reads the text as YAML, as kustomize does, gets the same
// value. JSON is nearly YAML: in a text of YAML a bare U+0085 ends the line and so becomes a
// space, and other control characters are not allowed. They are escaped here.
func JSON(value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil || !bytes.ContainsFunc(data, unlikeYAML) {
		return data, err
	}
	out := make([]byte, 0, len(data)+64)
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if unlikeYAML(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	return out, nil
}

// unlikeYAML says whether JSON takes a character as it is and YAML does not.
func unlikeYAML(r rune) bool {
	return 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff
}
