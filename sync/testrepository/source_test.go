package testrepository

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/githubapp"
)

func sshKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

// signed makes a commit of the repository's head with a signature, and gives its hash.
func (h *host) signed(t *testing.T, signer ssh.Signer) string {
	t.Helper()
	head, message, _ := strings.Cut(h.git("", "cat-file", "commit", "HEAD")+"\n", "\n\n")
	s, err := sshsig.Sign(strings.NewReader(head+"\n\n"+message), signer, sshsig.HashSHA512, "git")
	if err != nil {
		t.Fatal(err)
	}
	armoured := strings.ReplaceAll(strings.TrimSpace(string(sshsig.Armor(s))), "\n", "\n ")
	hash := h.git(head+"\ngpgsig "+armoured+"\n\n"+message, "hash-object", "-t", "commit", "-w", "--stdin")
	h.git("", "update-ref", "refs/heads/signed-"+hash, hash)
	return hash
}

// Commits are read over Git's own http-backend, and the keys as they are in the Secret now.
func TestCommitsAreVerified(t *testing.T) {
	h := newHost(t, func(string, string) bool { return true })
	ada, public := sshKey(t)
	bob, other := sshKey(t)
	byAda, byBob := h.signed(t, ada), h.signed(t, bob)
	all := map[string]data{"git": {"ca.crt": h.ca()}, "signers": {"ada.pub": public}}
	cluster := secretsOf(all)
	source := NewSource(NewAccess(cluster, nil, githubapp.New(githubapp.Options{})), git.NewCache(git.New(git.Options{Reach: loopback(t)}), 1<<20), nil)
	repo := using(h.URL+"/repo/.git", all)
	repo.Spec.Verify = &v1alpha1.Verification{SecretRef: v1alpha1.LocalReference{Name: "signers"}}
	expect := func(commit string, reason fault.Reason, text string) {
		t.Helper()
		err := source.Verify(t.Context(), repo, commit)
		switch {
		case reason == "" && err != nil:
			t.Errorf("got %v", err)
		case reason != "" && (err == nil || fault.ReasonOf(err) != reason || !strings.Contains(fault.Summary(fault.Here(err)), text)):
			t.Errorf("got %v, want %s with %q", err, reason, text)
		}
	}
	expect(byAda, "", "")
	expect(byBob, fault.SignatureInvalid, byBob[:12]+" is signed by the SSH key "+ssh.FingerprintSHA256(bob.PublicKey())[:15]+", which may not")
	expect(h.head, fault.SignatureInvalid, h.head[:12]+" is not signed")
	expect(strings.Repeat("1", 40), fault.RefNotFound, "")

	var signers corev1.Secret
	key := client.ObjectKey{Namespace: "team", Name: "signers"}
	if err := cluster.Get(t.Context(), key, &signers); err != nil {
		t.Fatal(err)
	}
	signers.Data = data{"bob.pub": other}.bytes()
	if err := cluster.Update(t.Context(), &signers); err != nil {
		t.Fatal(err)
	}
	expect(byAda, fault.SignatureInvalid, "which may not")
	expect(byBob, "", "")

	signers.Data = data{"bob.pub": "not a key"}.bytes()
	if err := cluster.Update(t.Context(), &signers); err != nil {
		t.Fatal(err)
	}
	expect(byBob, fault.SecretInvalid, "bob.pub")
	if err := cluster.Delete(t.Context(), &signers); err != nil {
		t.Fatal(err)
	}
	expect(byBob, fault.SecretInvalid, "spec.verify.secretRef.name")
	repo.Spec.Verify = nil
	expect(h.head, "", "")
}

// loopback lets the hosts be reached that a test makes.
func loopback(t *testing.T) git.Reach {
	t.Helper()
	reach, err := git.NewReach("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	return reach
}
