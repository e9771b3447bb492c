package gitea

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// maxRefusal is the most that is read of an answer that is no success.
const maxRefusal = 64 << 10

// worded leaves of answers that are no success the one thing that a forge says for people, the message of a JSON
// object. The SDK puts whole answers into its errors, and who writes spec.apiURL may have it lead to what is no forge:
// what stands there is not theirs to read.
type worded struct{ http.RoundTripper }

func (w worded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := w.RoundTripper.RoundTrip(request)
	if err != nil || response.StatusCode/100 == 2 {
		return response, err
	}
	data, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // one that breaks off has no message
	_ = response.Body.Close()
	said, err := json.Marshal(map[string]string{"message": message(response.Header.Get("Content-Type"), data)})
	if err != nil {
		return nil, err
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(said)), int64(len(said))
	response.Header.Del("Content-Length")
	return response, nil
}

// message gives the forge's own words, one short line of printable text; nothing where the answer is not of JSON.
func message(contentType string, data []byte) string {
	const most = 200
	var answer struct{ Message string }
	if kind, _, _ := strings.Cut(contentType, ";"); strings.TrimSpace(kind) != "application/json" || json.Unmarshal(data, &answer) != nil {
		return ""
	}
	text := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, answer.Message)), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
