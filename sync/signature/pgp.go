package signature

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// addPGP reads all blocks of a value, of which the library reads one.
func (k *Keys) addPGP(name string, value []byte) error {
	for blocks := bytes.Split(value, []byte(pgpPublic))[1:]; len(blocks) > 0; blocks = blocks[1:] {
		ring, err := openpgp.ReadArmoredKeyRing(io.MultiReader(bytes.NewReader([]byte(pgpPublic)), bytes.NewReader(blocks[0])))
		if err != nil || len(ring) == 0 {
			return bad(name, "store what gpg --armor --export prints", "a PGP public key block cannot be read")
		}
		k.pgp = append(k.pgp, ring...)
	}
	return nil
}

func (k Keys) verifyPGP(short string, payload, armoured []byte, now time.Time) error {
	block, err := armor.Decode(bytes.NewReader(armoured))
	if err != nil || block.Type != openpgp.SignatureType {
		return invalid(signAgain, "the PGP signature of commit %s cannot be read", short)
	}
	signature, err := io.ReadAll(io.LimitReader(block.Body, maxSignature))
	if err != nil {
		return invalid(signAgain, "the PGP signature of commit %s cannot be read", short)
	}
	config := &packet.Config{Time: func() time.Time { return now }}
	var worst error = pgperrors.ErrUnknownIssuer
	// Key by key: the ring may hold a key twice, before and after its end was put off.
	for _, entity := range k.pgp {
		signed, _, err := openpgp.VerifyDetachedSignature(openpgp.EntityList{entity}, bytes.NewReader(payload), bytes.NewReader(signature), config)
		if err == nil {
			err = strong(signed)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, pgperrors.ErrUnknownIssuer) {
			worst = err
		}
	}
	return pgpFault(short, issuer(signature), worst)
}

// weakError is a signature that proves little.
type weakError string

func (e weakError) Error() string { return string(e) }

// strong refuses hashes that can be made to collide, and signatures of text, which do not
// cover how lines end.
func strong(signature *packet.Signature) error {
	switch {
	case signature.Hash == crypto.SHA1, signature.Hash == crypto.MD5, signature.Hash == crypto.RIPEMD160:
		return weakError("the weak " + signature.Hash.String())
	case signature.SigType != packet.SigTypeBinary:
		return weakError("a signature of text")
	}
	return nil
}

// issuer names the key that the signature says it is from.
func issuer(signature []byte) string {
	p, err := packet.NewReader(bytes.NewReader(signature)).Next()
	if s, ok := p.(*packet.Signature); err == nil && ok && s.IssuerKeyId != nil {
		return fmt.Sprintf("%016X", *s.IssuerKeyId)
	}
	return "of no name"
}

func pgpFault(short, key string, err error) error {
	var weak weakError
	switch {
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return invalid(checkKeys, "commit %s is signed by the PGP key %s, which may not", short, key)
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return invalid("extend it in spec.verify, or use another", "commit %s is signed by the PGP key %s, which is expired", short, key)
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return invalid(signAgain, "commit %s is signed by the PGP key %s for a time that is over", short, key)
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return invalid("sign with another key", "commit %s is signed by the PGP key %s, which is revoked", short, key)
	case errors.As(err, &weak):
		return invalid(signAgain, "commit %s is signed by the PGP key %s with %s", short, key, weak)
	}
	return invalid(signAgain, "commit %s is not what the PGP key %s signed", short, key)
}
