package signature

import (
	"bytes"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

const (
	// maxSignature bounds an armoured signature; those of the largest keys are a tenth of it.
	maxSignature = 64 << 10
	// The remedies are short: with the message they should fit into a commit status.
	checkKeys = "add it to spec.verify, or sign with another"
	signAgain = "sign it again: git commit --amend -S"
)

// Verify says whether the commit with the hash, whose content as Git stores it is raw, was
// signed by one of the keys, good at the time. The hash is for the fault, which is
// SignatureInvalid.
func (k Keys) Verify(hash string, raw []byte, now time.Time) (err error) {
	short := hash[:min(len(hash), 12)]
	defer func() {
		// What decodes a hostile signature may trip over it; that verifies nothing.
		if recover() != nil {
			err = invalid(signAgain, "the signature of commit %s cannot be read", short)
		}
	}()
	payload, signature, ok := split(raw)
	switch {
	case !ok:
		return invalid(signAgain, "commit %s has a header that no signature covers", short)
	case len(signature) == 0:
		return invalid("sign it with a key of spec.verify: git commit --amend -S", "commit %s is not signed", short)
	case len(signature) > maxSignature:
		return invalid(signAgain, "the signature of commit %s is larger than %d KiB", short, maxSignature>>10)
	case bytes.HasPrefix(signature, []byte("-----BEGIN PGP SIGNATURE-----")):
		return k.verifyPGP(short, payload, signature, now)
	case bytes.HasPrefix(signature, []byte("-----BEGIN SSH SIGNATURE-----")):
		return k.verifySSH(short, payload, signature, now)
	}
	return invalid("sign with a PGP or an SSH key", "the signature of commit %s is of a kind that is not supported", short)
}

func invalid(remedy, format string, args ...any) error {
	return fault.New(fault.SignatureInvalid, fault.Place{}, remedy, format, args...)
}

// split takes a commit apart as Git does: what was signed is everything but the header with
// the signature. A signature for SHA-256 names, which has a header of its own, is left out of
// both. It is not ok when there is more than one signature, or another header of that kind,
// which nothing that was signed would cover.
func split(raw []byte) (payload, signature []byte, ok bool) {
	const ours, others = "gpgsig", "gpgsig-sha256"
	seen := map[string]bool{}
	into := &payload
	var dropped []byte
	for rest := raw; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		line := rest[:end]
		rest = rest[end:]
		if len(line) == 1 && line[0] == '\n' { // the message begins
			payload = append(append(payload, line...), rest...)
			break
		}
		if line[0] == ' ' {
			if into != &payload {
				line = line[1:]
			}
			*into = append(*into, line...)
			continue
		}
		into = &payload
		if bytes.HasPrefix(line, []byte(ours)) {
			name, value, _ := bytes.Cut(line, []byte(" "))
			if seen[string(name)] || (string(name) != ours && string(name) != others) {
				return nil, nil, false
			}
			seen[string(name)] = true
			if into = &dropped; string(name) == ours {
				into = &signature
			}
			line = value
		}
		*into = append(*into, line...)
	}
	return payload, signature, true
}
