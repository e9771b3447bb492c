package signature

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/assay-dev/assay/api/fault"
)

// maxKeys bounds the keys of each kind.
const maxKeys = 1000

// Keys are those that may sign. The zero value has none, so that nothing verifies.
type Keys struct {
	pgp openpgp.EntityList
	ssh []sshKey
}

const (
	pgpPublic  = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	pgpPrivate = "-----BEGIN PGP PRIVATE KEY BLOCK-----"
)

// ParseKeys reads the keys of a Secret: PGP public key blocks in armour under any key, and
// SSH public keys under keys that end in .pub or are called allowed_signers, a line each, as
// in authorized_keys or allowed_signers. What else the Secret holds is passed over. The fault
// is SecretInvalid; a Secret without any key is one.
func ParseKeys(data map[string][]byte) (Keys, error) {
	var keys Keys
	for _, name := range slices.Sorted(maps.Keys(data)) {
		var err error
		switch value := data[name]; {
		case bytes.Contains(value, []byte(pgpPrivate)) || bytes.Contains(value, []byte("PRIVATE KEY-----")) && signers(name):
			return Keys{}, bad(name, "take it out, and take it for disclosed", "there is a private key")
		case bytes.Contains(value, []byte(pgpPublic)):
			err = keys.addPGP(name, value)
		case signers(name):
			err = keys.addSSH(name, value)
		}
		if err != nil {
			return Keys{}, err
		}
		if len(keys.pgp) > maxKeys || len(keys.ssh) > maxKeys {
			return Keys{}, bad(name, "keep those that sign", "there are more than %d keys", maxKeys)
		}
	}
	if len(keys.pgp)+len(keys.ssh) == 0 {
		return Keys{}, bad("", "add a PGP public key block, such as gpg --armor --export prints, or an SSH public key under a key that ends in .pub", "the Secret has no public key, so that no commit could be tested")
	}
	return keys, nil
}

func signers(name string) bool { return strings.HasSuffix(name, ".pub") || name == "allowed_signers" }

func bad(key, remedy, format string, args ...any) error {
	return fault.New(fault.SecretInvalid, fault.Place{Field: key}, remedy, format, args...)
}
