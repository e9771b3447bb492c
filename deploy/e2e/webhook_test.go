//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EWebhook has two repositories that are polled once an hour. Gitea tells of a push to
// one; of the other, somebody tells who first does not know the secret, and then does.
func TestE2EWebhook(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "hook", nil)
	token := rand.Text()
	webhook := v1alpha1.Webhook{SecretRef: newSecret(t, tenant, "webhook", map[string]string{"token": token})}
	newPolledOnce := func(name string) (*world.Repository, *v1alpha1.TestRepository) {
		repo, main := newRepository(t, name, catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
		object, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
			r.Spec.Interval.Duration, r.Spec.Webhook = time.Hour, &webhook
		})
		if err != nil {
			t.Fatal(err)
		}
		expectStatus(t, repo, main, tenant.Name, "success", "")
		return repo, object
	}
	told, toldObject := newPolledOnce("told")
	untold, untoldObject := newPolledOnce("untold")

	unseen := push(t, untold, "main", map[string]string{"README.md": "unseen\n"})
	if code := postHook(t, untoldObject, "another "+token); code != http.StatusNotFound {
		t.Errorf("a wrong signature is answered %d", code)
	}
	if err := told.AddWebhook(hookURL(t, toldObject), token); err != nil {
		t.Fatal(err)
	}
	seen := push(t, told, "main", map[string]string{"README.md": "seen\n"})
	expectStatus(t, told, seen, tenant.Name, "success", "")

	// Repositories are poked in the order in which it was asked for: the other would have been.
	if err := w.Client.Get(deadline(t), client.ObjectKeyFromObject(untoldObject), untoldObject); err != nil {
		t.Fatal(err)
	}
	if at, poked := untoldObject.Annotations[v1alpha1.ReconcileRequestAnnotation]; poked {
		t.Errorf("a wrong signature poked at %s", at)
	}
	if runs := runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: unseen}); len(runs) != 0 {
		t.Errorf("a push that nobody told of has %d runs", len(runs))
	}
	if code := postHook(t, untoldObject, token); code != http.StatusAccepted {
		t.Errorf("the right signature is answered %d", code)
	}
	expectStatus(t, untold, unseen, tenant.Name, "success", "")
}

func hookURL(t *testing.T, repo *v1alpha1.TestRepository) string {
	t.Helper()
	url, err := w.WebhookURL(deadline(t), repo.Namespace, repo.Name)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// postHook tells of a push as Gitea would that was given the token, and gives the answer.
func postHook(t *testing.T, repo *v1alpha1.TestRepository, token string) int {
	t.Helper()
	const body = `{"ref": "refs/heads/main"}`
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(body))
	request, err := http.NewRequestWithContext(deadline(t), http.MethodPost, hookURL(t, repo), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Gitea-Event", "push")
	request.Header.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
