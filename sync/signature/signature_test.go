package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/signature"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const hash = "0123456789abcdef0123456789abcdef01234567"

// commit is one as Git stores it, with a header that has several lines.
const commit = `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent 1111111111111111111111111111111111111111
author Ada <ada@example.org> 1780000000 +0000
committer Ada <ada@example.org> 1780000000 +0000
mergetag object 2222222222222222222222222222222222222222
 type commit
 tag v1
 
 gpgsig is only a word here

Change something

gpgsig this is not a header
 nor is this
`

// withHeader puts a header before the message, folded as Git does.
func withHeader(raw, name, value string) string {
	head, message, _ := strings.Cut(raw, "\n\n")
	folded := strings.ReplaceAll(strings.TrimSuffix(value, "\n"), "\n", "\n ")
	return head + "\n" + name + " " + folded + "\n\n" + message
}

func pgpKey(t *testing.T, made time.Time, life time.Duration) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Ada", "", "ada@example.org", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return made }, KeyLifetimeSecs: uint32(life / time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func pgpPublic(t testing.TB, e *openpgp.Entity) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err == nil {
		if err = e.Serialize(w); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

func pgpSign(t *testing.T, e *openpgp.Entity, text string, at time.Time) string {
	t.Helper()
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, e, strings.NewReader(text), &packet.Config{Time: func() time.Time { return at }}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sshSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sshPublic(s ssh.Signer) string { return string(ssh.MarshalAuthorizedKey(s.PublicKey())) }

func sshSign(t *testing.T, s ssh.Signer, text, namespace string) string {
	t.Helper()
	signed, err := sshsig.Sign(strings.NewReader(text), s, sshsig.HashSHA512, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return string(sshsig.Armor(signed))
}

func TestVerify(t *testing.T) {
	made := now.Add(-365 * 24 * time.Hour)
	ada, bob := pgpKey(t, made, 0), pgpKey(t, made, 0)
	old := pgpKey(t, made, 30*24*time.Hour)
	revoked := pgpKey(t, made, 0)
	signedByRevoked := withHeader(commit, "gpgsig", pgpSign(t, revoked, commit, made))
	if err := revoked.RevokeKey(packet.KeyCompromised, "lost", &packet.Config{Time: func() time.Time { return now.Add(-time.Hour) }}); err != nil {
		t.Fatal(err)
	}
	laptop, other := sshSigner(t), sshSigner(t)
	pgp := func(e *openpgp.Entity, text string) string {
		return withHeader(text, "gpgsig", pgpSign(t, e, text, made.Add(time.Hour)))
	}
	byAda := pgp(ada, commit)
	byLaptop := withHeader(commit, "gpgsig", sshSign(t, laptop, commit, "git"))
	const none = ""
	for name, c := range map[string]struct {
		keys map[string]string
		raw  string
		text string // of the fault
	}{
		"a right PGP key":                           {map[string]string{"ada.asc": pgpPublic(t, ada)}, byAda, none},
		"one PGP key of two in one value":           {map[string]string{"ring": pgpPublic(t, bob) + pgpPublic(t, ada)}, byAda, none},
		"a PGP key from before its end was put off": {map[string]string{"a.asc": pgpPublic(t, old), "b.asc": pgpPublic(t, ada)}, byAda, none},
		"a right SSH key":                           {map[string]string{"laptop.pub": sshPublic(laptop)}, byLaptop, none},
		"an allowed signer":                         {map[string]string{"allowed_signers": "# ours\n\nada@example.org,*@shop.example namespaces=\"file,git\",valid-before=\"20270101Z\" " + sshPublic(laptop)}, byLaptop, none},
		"an allowed signer without options":         {map[string]string{"allowed_signers": "ada@example.org " + sshPublic(laptop)}, byLaptop, none},
		"both kinds at hand":                        {map[string]string{"ada.asc": pgpPublic(t, ada), "laptop.pub": sshPublic(laptop)}, byLaptop, none},
		"a signature for SHA-256 beside":            {map[string]string{"ada.asc": pgpPublic(t, ada)}, withHeader(byAda, "gpgsig-sha256", "not\nlooked at"), none},

		"unsigned":                          {map[string]string{"ada.asc": pgpPublic(t, ada)}, commit, "0123456789ab is not signed"},
		"a wrong PGP key":                   {map[string]string{"bob.asc": pgpPublic(t, bob)}, byAda, "PGP key " + ada.PrimaryKey.KeyIdString() + ", which may not"},
		"an SSH key where PGP ones are":     {map[string]string{"ada.asc": pgpPublic(t, ada)}, byLaptop, ssh.FingerprintSHA256(laptop.PublicKey())[:15] + ", which may not"},
		"a wrong SSH key":                   {map[string]string{"other.pub": sshPublic(other)}, byLaptop, "which may not"},
		"an expired PGP key":                {map[string]string{"old.asc": pgpPublic(t, old)}, pgp(old, commit), "which is expired"},
		"a revoked PGP key":                 {map[string]string{"revoked.asc": pgpPublic(t, revoked)}, signedByRevoked, "which is revoked"},
		"an SSH key after its time":         {map[string]string{"allowed_signers": `a valid-before="20260601110000Z" ` + sshPublic(laptop)}, byLaptop, "not valid now"},
		"an SSH key before its time":        {map[string]string{"allowed_signers": `a valid-after="20260602" ` + sshPublic(laptop)}, byLaptop, "not valid now"},
		"an SSH key for other things":       {map[string]string{"allowed_signers": `a namespaces="file" ` + sshPublic(laptop) + sshPublic(other)}, byLaptop, "which may not"},
		"tampered, PGP":                     {map[string]string{"ada.asc": pgpPublic(t, ada)}, strings.Replace(byAda, "Change something", "Change everything", 1), "is not what the"},
		"another tree, PGP":                 {map[string]string{"ada.asc": pgpPublic(t, ada)}, strings.Replace(byAda, "tree 4b", "tree 4c", 1), "is not what the"},
		"another parent, SSH":               {map[string]string{"laptop.pub": sshPublic(laptop)}, strings.Replace(byLaptop, "parent 1", "parent 2", 1), "is not what the"},
		"a header added":                    {map[string]string{"laptop.pub": sshPublic(laptop)}, withHeader(byLaptop, "encoding", "latin-1"), "is not what the"},
		"a signature of something else":     {map[string]string{"laptop.pub": sshPublic(laptop)}, withHeader(commit, "gpgsig", sshSign(t, laptop, commit, "file")), "is not what the"},
		"two signatures":                    {map[string]string{"laptop.pub": sshPublic(laptop)}, withHeader(byLaptop, "gpgsig", sshSign(t, laptop, commit, "git")), "no signature covers"},
		"a header like that of a signature": {map[string]string{"laptop.pub": sshPublic(laptop)}, withHeader(byLaptop, "gpgsig-sha512", "hidden"), "no signature covers"},
		"a hash of SHA-1":                   {map[string]string{"ada.asc": pgpPublic(t, ada)}, withHeader(commit, "gpgsig", weakly(t, ada, made)), "the weak SHA-1"},
		"X.509":                             {map[string]string{"ada.asc": pgpPublic(t, ada)}, withHeader(commit, "gpgsig", "-----BEGIN SIGNED MESSAGE-----\nMII=\n-----END SIGNED MESSAGE-----"), "kind that is not supported"},
		"broken armour, PGP":                {map[string]string{"ada.asc": pgpPublic(t, ada)}, withHeader(commit, "gpgsig", "-----BEGIN PGP SIGNATURE-----\n\n!!!\n-----END PGP SIGNATURE-----"), "cannot be read"},
		"broken armour, SSH":                {map[string]string{"laptop.pub": sshPublic(laptop)}, withHeader(commit, "gpgsig", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"), "cannot be read"},
		"an endless signature":              {map[string]string{"laptop.pub": sshPublic(laptop)}, withHeader(commit, "gpgsig", "-----BEGIN SSH SIGNATURE-----\n"+strings.Repeat("A", 1<<17)), "larger than 64 KiB"},
		"nothing at all":                    {map[string]string{"laptop.pub": sshPublic(laptop)}, "", "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := signature.ParseKeys(values(c.keys))
			if err != nil {
				t.Fatal(err)
			}
			err = keys.Verify(hash, []byte(c.raw), now)
			switch {
			case c.text == none && err != nil:
				t.Errorf("got %v", err)
			case c.text != none && len("SignatureInvalid: "+err.Error()) > 140: // of a commit status on GitHub
				t.Errorf("%q is too long", err)
			case c.text != none && (fault.ReasonOf(err) != fault.SignatureInvalid || err == nil || !strings.Contains(err.Error(), c.text)):
				t.Errorf("got %v, want SignatureInvalid with %q", err, c.text)
			}
		})
	}
	if err := (signature.Keys{}).Verify(hash, []byte(byAda), now); fault.ReasonOf(err) != fault.SignatureInvalid {
		t.Errorf("without keys: %v", err)
	}
}

func values(keys map[string]string) map[string][]byte {
	all := map[string][]byte{"username": []byte("passed over")}
	for k, v := range keys {
		all[k] = []byte(v)
	}
	return all
}

// weakly signs the commit with SHA-1.
func weakly(t *testing.T, e *openpgp.Entity, at time.Time) string {
	t.Helper()
	s := &packet.Signature{Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: e.PrivateKey.PubKeyAlgo, Hash: crypto.SHA1, CreationTime: at, IssuerKeyId: &e.PrivateKey.KeyId}
	h := crypto.SHA1.New()
	_, _ = h.Write([]byte(commit))
	if err := s.Sign(h, e.PrivateKey, &packet.Config{NonDeterministicSignaturesViaNotation: packet.BoolPointer(false)}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.SignatureType, nil)
	if err == nil {
		if err = s.Serialize(w); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParseKeysRefuses(t *testing.T) {
	ada := pgpKey(t, now, 0)
	var private bytes.Buffer
	w, err := armor.Encode(&private, openpgp.PrivateKeyType, nil)
	if err == nil {
		if err = ada.SerializePrivate(w, nil); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	laptop := sshSigner(t)
	certificate := &ssh.Certificate{Key: laptop.PublicKey(), CertType: ssh.UserCert}
	if err := certificate.SignCert(rand.Reader, laptop); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		keys map[string]string
		text string
	}{
		"a Secret without keys": {nil, "no public key"},
		"a PGP private key":     {map[string]string{"a.asc": private.String()}, "private key"},
		"an SSH private key":    {map[string]string{"a.pub": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"}, "private key"},
		"a broken PGP block":    {map[string]string{"a.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----"}, "cannot be read"},
		"a line that is no key": {map[string]string{"a.pub": sshPublic(laptop) + "hunter2 is no key"}, "line 2"},
		"an authority":          {map[string]string{"allowed_signers": "* cert-authority " + sshPublic(laptop)}, "certificates"},
		"a certificate":         {map[string]string{"a.pub": string(ssh.MarshalAuthorizedKey(certificate))}, "certificates"},
		"a time that is none":   {map[string]string{"allowed_signers": "a valid-before=\"soon\" " + sshPublic(laptop)}, "YYYYMMDD"},
		"far too many keys":     {map[string]string{"a.pub": strings.Repeat(sshPublic(laptop), 1001)}, "more than 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := signature.ParseKeys(values(c.keys))
			if err == nil || fault.ReasonOf(err) != fault.SecretInvalid || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want SecretInvalid with %q", err, c.text)
			}
		})
	}
}

// TestGitsOwnSignatures has git itself sign, with ssh-keygen and gpg, and with RSA.
func TestGitsOwnSignatures(t *testing.T) {
	dir := t.TempDir()
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GNUPGHOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v: %s", program, args, err, said.String())
		}
		return string(out)
	}
	run("git", "init", "-q")
	verify := func(public, name string, sign ...string) {
		t.Helper()
		run("git", append(sign, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "-S", "--allow-empty", "-m", "change\n\nmore")...)
		raw := run("git", "cat-file", "commit", "HEAD")
		keys, err := signature.ParseKeys(map[string][]byte{name: []byte(public)})
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Verify(hash, []byte(raw), time.Now()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := keys.Verify(hash, []byte(strings.Replace(raw, "more", "less", 1)), time.Now()); fault.ReasonOf(err) != fault.SignatureInvalid {
			t.Errorf("%s, tampered: %v", name, err)
		}
	}
	if _, err := exec.LookPath("ssh-keygen"); err == nil {
		for _, kind := range []string{"ed25519", "rsa", "ecdsa"} {
			run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", filepath.Join(dir, kind))
			public, err := os.ReadFile(filepath.Join(dir, kind+".pub"))
			if err != nil {
				t.Fatal(err)
			}
			verify(string(public), kind+".pub", "-c", "gpg.format=ssh", "-c", "user.signingkey="+filepath.Join(dir, kind))
		}
	}
	if _, err := exec.LookPath("gpg"); err == nil {
		run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "ada@example.org", "rsa2048", "sign", "1d")
		verify(run("gpg", "--armor", "--export", "ada@example.org"), "gpg.asc", "-c", "user.signingkey=ada@example.org")
		run("gpgconf", "--kill", "gpg-agent")
	}
}

// RSA signatures of SSH must not use SHA-1, which the oldest clients do.
func TestWeakSSHSignaturesAreRefused(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := signature.ParseKeys(map[string][]byte{"a.pub": []byte(sshPublic(signer))})
	if err != nil {
		t.Fatal(err)
	}
	for format, text := range map[string]string{ssh.KeyAlgoRSASHA512: "", ssh.KeyAlgoRSA: "cannot be read"} {
		digest := crypto.SHA512.New()
		_, _ = digest.Write([]byte(commit))
		signed := struct{ Namespace, Reserved, Hash, Digest string }{"git", "", "sha512", string(digest.Sum(nil))}
		raw, err := signer.(ssh.AlgorithmSigner).SignWithAlgorithm(rand.Reader, append([]byte("SSHSIG"), ssh.Marshal(signed)...), format)
		if err != nil {
			t.Fatal(err)
		}
		armoured := sshsig.Armor(&sshsig.Signature{Version: 1, PublicKey: signer.PublicKey(), Namespace: "git", HashAlgorithm: sshsig.HashSHA512, Signature: raw})
		err = keys.Verify(hash, []byte(withHeader(commit, "gpgsig", string(armoured))), now)
		if got := fmt.Sprint(err); text == "" && err != nil || !strings.Contains(got, text) {
			t.Errorf("%s: got %v", format, err)
		}
	}
}
