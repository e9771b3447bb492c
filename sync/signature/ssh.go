package signature

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// namespace is what Git signs in, so that a signature of something else is none of a commit.
const namespace = "git"

// sshKey is a key that may sign between two times; zero times are no bounds.
type sshKey struct {
	public        ssh.PublicKey
	after, before time.Time
}

// addSSH reads lines of authorized_keys or allowed_signers. Of the options those count that
// ssh-keygen knows for signers; who signed is not compared with the names in a line.
func (k *Keys) addSSH(name string, value []byte) error {
	number := 0
	for line := range strings.Lines(string(value)) {
		number++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, skip, err := parseSigner(line)
		if err != nil {
			return bad(name, "write a line as in authorized_keys or allowed_signers", "line %d is no SSH key that can sign: %w", number, err)
		}
		if !skip {
			k.ssh = append(k.ssh, key)
		}
	}
	return nil
}

// parseSigner reads a line; skip is for a key that is for other things than commits.
func parseSigner(line string) (key sshKey, skip bool, err error) {
	public, _, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		// Names and then options: the one more word of allowed_signers.
		_, after, _ := strings.Cut(line, " ")
		if public, _, options, _, err = ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(after))); err != nil {
			return sshKey{}, false, errors.New("not a key")
		}
	}
	if _, certificate := public.(*ssh.Certificate); certificate {
		return sshKey{}, false, errors.New("certificates are not supported")
	}
	key.public = public
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "cert-authority":
			return sshKey{}, false, errors.New("certificates are not supported")
		case "namespaces":
			skip = !slices.Contains(strings.Split(value, ","), namespace)
		case "valid-after":
			key.after, err = signerTime(value)
		case "valid-before":
			key.before, err = signerTime(value)
		}
		if err != nil {
			return sshKey{}, false, err
		}
	}
	return key, skip, nil
}

// signerTime reads YYYYMMDD[HHMM[SS]], in UTC with or without its Z.
func signerTime(value string) (time.Time, error) {
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if at, err := time.Parse(layout, strings.TrimSuffix(value, "Z")); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("a time is not of the form YYYYMMDDHHMMSS")
}

func (k Keys) verifySSH(short string, payload, armoured []byte, now time.Time) error {
	signature, err := sshsig.Unarmor(armoured) // refuses RSA with SHA-1, as the format does
	if err != nil {
		return invalid(signAgain, "the SSH signature of commit %s cannot be read", short)
	}
	// Eight characters of a fingerprint are enough to find the key, and short enough to show.
	name := ssh.FingerprintSHA256(signature.PublicKey)[:len("SHA256:")+8]
	expired := false
	for _, key := range k.ssh {
		if !bytes.Equal(key.public.Marshal(), signature.PublicKey.Marshal()) {
			continue
		}
		if !key.after.IsZero() && now.Before(key.after) || !key.before.IsZero() && !now.Before(key.before) {
			expired = true
			continue
		}
		if sshsig.Verify(bytes.NewReader(payload), signature, key.public, signature.HashAlgorithm, namespace) == nil {
			return nil
		}
		return invalid(signAgain, "commit %s is not what the SSH key %s signed", short, name)
	}
	if expired {
		return invalid("extend it in spec.verify, or use another", "commit %s is signed by the SSH key %s, not valid now", short, name)
	}
	return invalid(checkKeys, "commit %s is signed by the SSH key %s, which may not", short, name)
}
