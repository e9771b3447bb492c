package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// maxLabel is the most that a DNS label and a label value hold.
const maxLabel = 63

// RunName computes the name of the run for a repository (its object's name), an environment, a commit, or the time of a
// schedule, and what caused it: every word that tells one cause from another, such as "push", "main", or "schedule",
// "2026-01-02T03:04:00Z". The same words give the same name, so that creating twice is a no-op. It is a DNS label of at
// most 63 characters.
func RunName(repository, environment, commit string, cause ...string) string {
	hash := digest(append([]string{repository, environment, commit}, cause...))
	return join(maxLabel, label(repository), label(environment), label(commit[:min(len(commit), 8)]), hash)
}

// PodName computes the name of the pod of an attempt. Two runs never share one, not even runs of one name: the run's
// namespace and UID are in its hash. It is a DNS label of at most 63 characters.
func PodName(run *v1alpha1.TestRun, id AttemptID) string {
	unit, n := id.Unit.String(), fmt.Sprint(id.Number)
	hash := digest([]string{run.Namespace, run.Name, string(run.UID), unit, n})
	return join(maxLabel, label(unit), n, hash)
}

// digest hashes words unambiguously: each goes in with its length. 12 hexadecimal digits are 48 bits: with a million
// live names the chance of a collision is below one in 500.
func digest(words []string) string {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s,", len(w), w)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// join connects the words with dashes and shortens the first until all fit.
func join(limit int, words ...string) string {
	rest := strings.Join(words[1:], "-")
	room := limit - len(rest) - 1
	if room < 1 { // only the first and the hash are sure to fit
		rest = words[len(words)-1]
		room = limit - len(rest) - 1
	}
	return strings.TrimRight(words[0][:min(len(words[0]), room)], "-") + "-" + rest
}

// label makes a DNS label out of any text; it is never empty and begins with a letter.
func label(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	s := strings.Trim(b.String(), "-")
	if s == "" {
		return "x"
	}
	return s
}
