package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/signature"
)

// How FuzzVerify signs: not at all, or with bytes that it puts into armour.
const (
	asItIs = iota
	inPGP
	inSSH
	ways
)

// FuzzVerify: nothing verifies but the one text that was signed, and without keys nothing at all.
func FuzzVerify(f *testing.F) {
	keys, byPGP, bySSH := signedByFixedKeys(f)
	f.Add([]byte(commit), byPGP, uint8(inPGP))
	f.Add([]byte(commit), bySSH, uint8(inSSH))
	for _, s := range []string{
		commit, inArmour(commit, byPGP, inPGP), inArmour(commit, bySSH, inSSH), withHeader(inArmour(commit, bySSH, inSSH), "gpgsig-sha256", "x\ny"),
		withHeader(commit, "gpgsig", "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----"),
	} {
		f.Add([]byte(s), []byte(nil), uint8(asItIs))
	}
	for _, way := range []uint8{inPGP, inSSH} { // or nothing that follows means anything
		if err := keys.Verify(hash, []byte(inArmour(commit, map[uint8][]byte{inPGP: byPGP, inSSH: bySSH}[way], way)), now); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, raw, signed []byte, way uint8) {
		text := inArmour(string(raw), signed, way%ways)
		err := keys.Verify(hash, []byte(text), now)
		switch {
		case err == nil && unsigned(text) != commit:
			t.Errorf("verified, though nobody signed %q", unsigned(text))
		case err != nil && fault.ReasonOf(err) != fault.SignatureInvalid:
			t.Errorf("got %s: %v", fault.ReasonOf(err), err)
		case err != nil && (strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 500):
			t.Errorf("not one short line: %q", err)
		}
		if err := (signature.Keys{}).Verify(hash, []byte(text), now); fault.ReasonOf(err) != fault.SignatureInvalid {
			t.Errorf("verified by nobody: %v", err)
		}
	})
}

// signedByFixedKeys signs the commit with keys that are the same each time, so that what the
// fuzzer keeps stays worth something.
func signedByFixedKeys(t testing.TB) (keys signature.Keys, byPGP, bySSH []byte) {
	t.Helper()
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Rand: rand.NewChaCha8([32]byte{1}), Time: func() time.Time { return now.Add(-time.Hour) }}
	ada, err := openpgp.NewEntity("Ada", "", "ada@example.org", config)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := openpgp.DetachSign(&b, ada, strings.NewReader(commit), config); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sshsig.Sign(strings.NewReader(commit), signer, sshsig.HashSHA512, "git")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(sshsig.Armor(s))
	keys, err = signature.ParseKeys(map[string][]byte{"ada.asc": []byte(pgpPublic(t, ada)), "ada.pub": []byte(sshPublic(signer))})
	if err != nil || block == nil {
		t.Fatal(err)
	}
	return keys, b.Bytes(), block.Bytes
}

// inArmour gives the commit with a signature of the bytes.
func inArmour(raw string, signed []byte, way uint8) string {
	switch way {
	case inPGP:
		var b bytes.Buffer
		if w, err := armor.Encode(&b, openpgp.SignatureType, nil); err == nil {
			_, _ = w.Write(signed) // to memory
			_ = w.Close()
		}
		return withHeader(raw, "gpgsig", b.String())
	case inSSH:
		return withHeader(raw, "gpgsig", string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: signed})))
	}
	return raw
}

// unsigned is a commit without the headers of its signatures.
func unsigned(raw string) string {
	head, message, _ := strings.Cut(raw, "\n\n")
	var kept []string
	signature := false
	for line := range strings.SplitSeq(head, "\n") {
		if !strings.HasPrefix(line, " ") {
			signature = strings.HasPrefix(line, "gpgsig")
		}
		if !signature {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n\n" + message
}
