// Package proof shows what the controller itself made: pods, outcomes that its gateway took, and runs.
//
// In: a [Key] that nobody else has, and an object. Out: an annotation that only the key can make, and whether one is
// right. Labels and names say what an object is about, and anybody may write them who may create objects of its kind;
// the proof says that they are the controller's own words. It holds across restarts, as it is on the object itself.
//
// A proof can be copied to an object of the same name and namespace once the first is gone. That the object is the very
// first one is for its UID to say, which the run records.
package proof

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// KeyBytes is the length of a key: that of the hash, which RFC 2104 recommends.
const KeyBytes = sha256.Size

// Key makes and checks proofs. It is safe for concurrent use.
type Key struct {
	secret []byte
	// Since is when the key was made: runs that were created before it cannot have a proof, and count without. Set it
	// before the key is used; zero: all runs need one.
	Since time.Time
}

// NewKey gives the key with the secret, of KeyBytes or more.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) < KeyBytes {
		return nil, fmt.Errorf("the key has %d bytes: it needs %d", len(secret), KeyBytes)
	}
	return &Key{secret: secret}, nil
}

// Must is NewKey for secrets that are known to be long enough, as in tests.
func Must(secret []byte) *Key {
	k, err := NewKey(secret)
	if err != nil {
		panic(err)
	}
	return k
}

// NewSecret makes a secret for a key.
func NewSecret() []byte {
	secret := make([]byte, KeyBytes)
	_, _ = rand.Read(secret) // it never fails
	return secret
}

// of gives the proof of the words: HMAC-SHA256 over each with its length in front, so that no two lists are alike, in
// unpadded base64url. The first word is the kind of what is proved.
func (k *Key) of(words ...string) string {
	mac := hmac.New(sha256.New, k.secret)
	for _, word := range words {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(word)))
		mac.Write(length[:])
		mac.Write([]byte(word))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// proves says whether the proof is that of the words.
func (k *Key) proves(proof string, words ...string) bool {
	return proof != "" && hmac.Equal([]byte(proof), []byte(k.of(words...)))
}
