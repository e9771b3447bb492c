//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
	"github.com/assay-dev/assay/runner"
)

// signer signs commits.
type signer func(message io.Reader) ([]byte, error)

func (s signer) Sign(message io.Reader) ([]byte, error) { return s(message) }

// newSSHSigner gives a new key as Git signs with it, and its public half.
func newSSHSigner(t *testing.T) (sign signer, public string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return func(message io.Reader) ([]byte, error) {
		signature, err := sshsig.Sign(message, s, sshsig.HashSHA512, "git")
		if err != nil {
			return nil, err
		}
		return sshsig.Armor(signature), nil
	}, string(ssh.MarshalAuthorizedKey(s.PublicKey()))
}

// newPGPSigner gives a new key as gpg signs with it, and its public half in armour.
func newPGPSigner(t *testing.T) (sign signer, public string) {
	t.Helper()
	key, err := openpgp.NewEntity("Bob", "", "bob@shop.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	out, err := armor.Encode(&block, openpgp.PublicKeyType, nil)
	if err == nil {
		if err = key.Serialize(out); err == nil {
			err = out.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(message io.Reader) ([]byte, error) {
		var signature bytes.Buffer
		err := openpgp.ArmoredDetachSign(&signature, key, message, nil)
		return signature.Bytes(), err
	}, block.String()
}

// TestE2ESignedCommits has Ada, who may sign, and Bob, whose key is added after he signed.
func TestE2ESignedCommits(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "signed", nil)
	ada, adasKey := newSSHSigner(t)
	bob, bobsKey := newPGPSigner(t)
	signers := newSecret(t, tenant, "signers", map[string]string{"ada.pub": adasKey})
	repo, unsigned := newRepository(t, "signed", catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
	object, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
		r.Spec.Verify = &v1alpha1.Verification{SecretRef: signers}
	})
	if err != nil {
		t.Fatal(err)
	}
	expectRefused(t, tenant, repo, unsigned, v1alpha1.CausePush, "is not signed")
	// What it would run is not even shown, and nothing of it runs, whoever asks.
	err = world.Until(deadline(t), "the catalog is not shown, for a reason", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(object), object)
		return err == nil && len(object.Status.Catalogs) == 1 && strings.Contains(object.Status.Catalogs[0].Problem, "is not signed"), err
	})
	if err != nil {
		t.Errorf("%v; it has %+v", err, object.Status.Catalogs)
	}
	var suites v1alpha1.TestSuiteList
	if err := w.Client.List(deadline(t), &suites, client.InNamespace(tenant.Name)); err != nil || len(suites.Items) > 0 {
		t.Errorf("%d suites are shown, %v", len(suites.Items), err)
	}
	askForRun(t, object, tenant.Name, unsigned)
	expectRefused(t, tenant, repo, unsigned, v1alpha1.CauseAPI, "is not signed")

	repo.Signer = ada
	signed := push(t, repo, "main", map[string]string{"README.md": "signed by Ada\n"})
	expectStatus(t, repo, signed, tenant.Name, "success", "")
	shownSuite(t, tenant, "api", "the signed head's is shown", func(s *v1alpha1.TestSuite) bool {
		return s.Annotations[v1alpha1.AppliedCommitAnnotation] == signed
	})

	repo.Signer = bob
	byBob := push(t, repo, "bob", map[string]string{"README.md": "signed by Bob\n"})
	number, err := repo.OpenPullRequest(deadline(t), "bob", "Let me in")
	if err != nil {
		t.Fatal(err)
	}
	expectRefused(t, tenant, repo, byBob, v1alpha1.CausePullRequest, "which may not")
	oneComment(t, repo, number, "which may not")
	changeSigners(t, tenant, signers, map[string]string{"bob.asc": bobsKey})
	expectStatus(t, repo, byBob, tenant.Name, "success", "")
	oneComment(t, repo, number, "1 suite passed")

	// Ada's key is out: a head that has passed stays so, and does not run again.
	askForRun(t, object, tenant.Name, signed)
	expectRefused(t, tenant, repo, signed, v1alpha1.CauseAPI, "which may not")
	for commit, want := range map[string]int{unsigned: 2, signed: 2, byBob: 2} {
		if runs := runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: commit}); len(runs) != want {
			t.Errorf("%s has %d runs, want %d", commit, len(runs), want)
		}
	}
}

// expectRefused waits for the run to end for its signature, before anything of it was planned.
func expectRefused(t *testing.T, tenant *world.Tenant, repo *world.Repository, commit string, cause v1alpha1.CauseType, text string) {
	t.Helper()
	run, err := tenant.FinalRun(deadline(t), commit, cause)
	if err != nil {
		t.Fatal(err)
	}
	if !isErrored(run, fault.SignatureInvalid, text) || len(run.Status.Plan) != 0 {
		t.Errorf("the run stands at %+v; want %s with %q", run.Status, fault.SignatureInvalid, text)
	}
	if cause != v1alpha1.CauseAPI { // of which the environment's status does not tell
		expectStatus(t, repo, commit, tenant.Name, "error", text)
	}
	var pods corev1.PodList
	if err := w.Client.List(deadline(t), &pods, client.InNamespace(tenant.Name), client.MatchingLabels{v1alpha1.RunLabel: run.Name}); err != nil || len(pods.Items) != 0 {
		t.Errorf("a run that was refused has %d pods, error %v", len(pods.Items), err)
	}
}

// askForRun asks for one as assay run does.
func askForRun(t *testing.T, repo *v1alpha1.TestRepository, environment, commit string) {
	t.Helper()
	run := runner.NewRun(repo, v1alpha1.TestRunSpec{Environment: environment, Commit: commit, Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI}}, "")
	if err := w.Client.Create(deadline(t), run); err != nil {
		t.Fatal(err)
	}
}

// changeSigners replaces what the Secret holds.
func changeSigners(t *testing.T, tenant *world.Tenant, signers v1alpha1.LocalReference, data map[string]string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tenant.Name, Name: signers.Name}, StringData: data}
	if err := w.Client.Update(deadline(t), secret); err != nil {
		t.Fatal(err)
	}
}
