package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// signatures are the headers in which forges send the HMAC-SHA256 of the payload in
// hexadecimal digits, with what stands in front of it.
var signatures = []struct{ header, prefix string }{
	{"X-Hub-Signature-256", "sha256="}, // GitHub
	{"X-Forgejo-Signature", ""},
	{"X-Gitea-Signature", ""},
	{"X-Hub-Signature", "sha256="}, // Bitbucket; GitHub's own of that name is SHA-1
	{"X-Signature", "sha256="},     // Flux's generic-hmac
}

// tokenHeader is where GitLab sends the secret itself.
const tokenHeader = "X-Gitlab-Token"

// proves says whether one of the headers shows knowledge of the token. Every header is
// compared, in a time that does not depend on what it holds.
func proves(header http.Header, token, mac []byte) bool {
	proven := 0
	for _, s := range signatures {
		digits, prefixed := strings.CutPrefix(header.Get(s.header), s.prefix)
		sent, err := hex.DecodeString(digits)
		if prefixed && err == nil {
			proven |= subtle.ConstantTimeCompare(sent, mac)
		}
	}
	// Sums are compared, for the length of the token is nobody's business either.
	sent := sha256.Sum256([]byte(header.Get(tokenHeader)))
	want := sha256.Sum256(token)
	if hmac.Equal(sent[:], want[:]) {
		proven = 1
	}
	return proven == 1
}
