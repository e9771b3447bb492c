package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/sync/webhook"
)

const token = "correct horse"

var shop = types.NamespacedName{Namespace: "team", Name: "shop"}

// cluster has the repositories shop (with a webhook), quiet (without one), lost (whose Secret
// is not there) and empty (whose Secret has no token).
func cluster(funcs interceptor.Funcs) client.WithWatch {
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = v1alpha1.AddToScheme(scheme)
	b := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(funcs)
	for name, secret := range map[string]string{"shop": "hook", "quiet": "", "lost": "gone", "empty": "blank"} {
		repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, Annotations: map[string]string{"mine": "stays"}},
			Spec: v1alpha1.TestRepositorySpec{URL: "https://git.example/team/" + name}}
		if secret != "" {
			repo.Spec.Webhook = &v1alpha1.Webhook{SecretRef: v1alpha1.LocalReference{Name: secret}}
		}
		b.WithObjects(repo)
	}
	return b.WithObjects(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "hook"}, Data: map[string][]byte{"token": []byte(token)}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "blank"}, Data: map[string][]byte{"token": nil}},
	).Build()
}

// The payloads are the shortest that the forges' published descriptions of a push allow; they
// are signed here, as real ones can't be kept without their secret.
const (
	githubPush = `{"ref":"refs/heads/main","before":"1111111111111111111111111111111111111111","after":"2222222222222222222222222222222222222222","repository":{"id":1,"full_name":"team/shop","clone_url":"https://git.example/team/shop.git"},"pusher":{"name":"ada"},"commits":[]}`
	giteaPush  = `{"ref":"refs/heads/main","before":"1111111111111111111111111111111111111111","after":"2222222222222222222222222222222222222222","compare_url":"","commits":[],"repository":{"id":1,"full_name":"team/shop"},"pusher":{"id":1,"login":"ada"},"sender":{"id":1,"login":"ada"}}`
	gitlabPush = `{"object_kind":"push","event_name":"push","before":"1111111111111111111111111111111111111111","after":"2222222222222222222222222222222222222222","ref":"refs/heads/main","project_id":1,"project":{"id":1,"path_with_namespace":"team/shop"},"commits":[],"total_commits_count":0}`
)

func mac(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(m, body)
	return hex.EncodeToString(m.Sum(nil))
}

func mac1(secret, body string) string {
	m := hmac.New(sha1.New, []byte(secret))
	_, _ = io.WriteString(m, body)
	return hex.EncodeToString(m.Sum(nil))
}

type request struct {
	method, path, body string
	header             []string // names and values
}

// send gives the answer, and whether the repository was poked.
func send(h http.Handler, r request) *httptest.ResponseRecorder {
	if r.method == "" {
		r.method = http.MethodPost
	}
	sent := httptest.NewRequest(r.method, r.path, strings.NewReader(r.body))
	for i := 0; i < len(r.header); i += 2 {
		sent.Header.Set(r.header[i], r.header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, sent)
	return w
}

func TestWhoKnowsTheSecretPokes(t *testing.T) {
	for name, r := range map[string]request{
		"GitHub":    {body: githubPush, header: []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=" + mac(token, githubPush), "X-Hub-Signature", "sha1=" + mac1(token, githubPush)}},
		"Gitea":     {body: giteaPush, header: []string{"X-Gitea-Event", "push", "X-Gitea-Signature", mac(token, giteaPush)}},
		"Forgejo":   {body: giteaPush, header: []string{"X-Forgejo-Event", "push", "X-Forgejo-Signature", mac(token, giteaPush)}},
		"GitLab":    {body: gitlabPush, header: []string{"X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", token}},
		"Bitbucket": {body: `{"push":{"changes":[]}}`, header: []string{"X-Event-Key", "repo:push", "X-Hub-Signature", "sha256=" + mac(token, `{"push":{"changes":[]}}`)}},
		"any other": {body: "", header: []string{"X-Signature", "sha256=" + mac(token, "")}},
		// What the payload says is not looked at.
		"not JSON":           {body: "\x00\xff", header: []string{"X-Signature", "sha256=" + mac(token, "\x00\xff")}},
		"another repository": {body: `{"repository":{"full_name":"other/other"}}`, header: []string{"X-Gitlab-Token", token}},
	} {
		t.Run(name, func(t *testing.T) {
			c, poked := cluster(interceptor.Funcs{}), []types.NamespacedName{}
			h := webhook.NewServer("", webhook.New(c, c, func(k types.NamespacedName) { poked = append(poked, k) }, webhook.Options{})).Handler
			r.path = "/hook/team/shop"
			if w := send(h, r); w.Code != http.StatusAccepted {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			if len(poked) != 1 || poked[0] != shop {
				t.Errorf("poked %v", poked)
			}
		})
	}
}

// All are refused alike: same status, same words, same headers, same time.
func TestEverybodyElseLearnsNothing(t *testing.T) {
	right := []string{"X-Hub-Signature-256", "sha256=" + mac(token, githubPush)}
	slow := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, ok := o.(*corev1.Secret); ok { // an API server is asked for it
			select {
			case <-time.After(300 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return c.Get(ctx, key, o, opts...)
	}}
	hangs := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, ok := o.(*corev1.Secret); ok {
			<-ctx.Done()
			return ctx.Err()
		}
		return c.Get(ctx, key, o, opts...)
	}}
	fails := interceptor.Funcs{Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
		return apierrors.NewServiceUnavailable("down")
	}}
	for name, tc := range map[string]struct {
		request
		funcs interceptor.Funcs
	}{
		"no such repository":            {request{path: "/hook/team/nowhere", body: githubPush, header: right}, slow},
		"no such namespace":             {request{path: "/hook/other/shop", body: githubPush, header: right}, slow},
		"no webhook":                    {request{path: "/hook/team/quiet", body: githubPush, header: right}, slow},
		"no Secret":                     {request{path: "/hook/team/lost", body: githubPush, header: right}, slow},
		"no token":                      {request{path: "/hook/team/empty", body: githubPush, header: []string{"X-Hub-Signature-256", "sha256=" + mac("", githubPush), "X-Gitlab-Token", ""}}, slow},
		"no header":                     {request{path: "/hook/team/shop", body: githubPush}, slow},
		"a wrong signature":             {request{path: "/hook/team/shop", body: githubPush, header: []string{"X-Hub-Signature-256", "sha256=" + mac("wrong", githubPush)}}, slow},
		"a signature of something else": {request{path: "/hook/team/shop", body: githubPush + " ", header: right}, slow},
		"a signature without its kind":  {request{path: "/hook/team/shop", body: githubPush, header: []string{"X-Hub-Signature-256", mac(token, githubPush)}}, slow},
		"a signature cut short":         {request{path: "/hook/team/shop", body: githubPush, header: []string{"X-Gitea-Signature", mac(token, githubPush)[:32]}}, slow},
		"a signature that is no number": {request{path: "/hook/team/shop", body: githubPush, header: []string{"X-Gitea-Signature", "zz"}}, slow},
		"SHA-1":                         {request{path: "/hook/team/shop", body: githubPush, header: []string{"X-Hub-Signature", "sha1=" + mac1(token, githubPush)}}, slow},
		"a wrong token":                 {request{path: "/hook/team/shop", body: gitlabPush, header: []string{"X-Gitlab-Token", token + "!"}}, slow},
		"no token at all":               {request{path: "/hook/team/shop", body: gitlabPush, header: []string{"X-Gitlab-Token", ""}}, slow},
		"GET":                           {request{method: http.MethodGet, path: "/hook/team/shop", header: []string{"X-Gitlab-Token", token}}, slow},
		"another path":                  {request{path: "/", body: githubPush, header: right}, slow},
		"a longer path":                 {request{path: "/hook/team/shop/more", body: githubPush, header: right}, slow},
		"a path that is escaped":        {request{path: "/hook/team/..%2fteam%2fshop", body: githubPush, header: right}, slow},
		"an API server that hangs":      {request{path: "/hook/team/shop", body: githubPush, header: right}, hangs},
		"an API server that is down":    {request{path: "/hook/team/shop", body: githubPush, header: right}, fails},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := cluster(tc.funcs)
				h := webhook.NewServer("", webhook.New(c, c, func(k types.NamespacedName) { t.Errorf("poked %v", k) }, webhook.Options{})).Handler
				begun := time.Now()
				w := send(h, tc.request)
				took := time.Since(begun)
				got := fmt.Sprintf("%d %q %v after %s", w.Code, w.Body, w.Header(), took)
				const want = `404 "not found\n" map[Content-Type:[text/plain; charset=utf-8] X-Content-Type-Options:[nosniff]] after 1s`
				if got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
}

func TestRequestsAreBound(t *testing.T) {
	c := cluster(interceptor.Funcs{})
	h := webhook.New(c, c, func(types.NamespacedName) { t.Error("poked") }, webhook.Options{RefuseAfter: time.Millisecond})
	server := httptest.NewServer(webhook.NewServer("", h).Handler)
	defer server.Close()
	large := strings.Repeat("x", 3<<20+1)
	for _, path := range []string{"/hook/team/shop", "/hook/team/nowhere"} {
		r, err := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader(large))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Signature", "sha256="+mac(token, large))
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: answered %d", path, response.StatusCode)
		}
	}
}

func TestMoreRequestsAtOnceAreAskedToComeBack(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	c := cluster(interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, ok := o.(*corev1.Secret); ok {
			arrived <- struct{}{}
			<-answer
		}
		return c.Get(ctx, key, o, opts...)
	}})
	h := webhook.NewServer("", webhook.New(c, c, func(types.NamespacedName) {}, webhook.Options{Concurrent: 1, RefuseAfter: time.Minute})).Handler
	valid := request{path: "/hook/team/shop", header: []string{"X-Gitlab-Token", token}}
	first := make(chan int)
	go func() { first <- send(h, valid).Code }()
	<-arrived
	for _, path := range []string{"/hook/team/shop", "/hook/team/nowhere"} {
		if w := send(h, request{path: path}); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: answered %d", path, w.Code)
		}
	}
	close(answer)
	if code := <-first; code != http.StatusAccepted {
		t.Errorf("the first was answered %d", code)
	}
}

// A poke is one annotation, and a storm of them one every five seconds.
func TestPokesAreFewAndSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var patches atomic.Int32
		c := cluster(interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			patches.Add(1)
			return c.Patch(ctx, o, p, opts...)
		}})
		before := get(t, c)
		p := webhook.NewPoker(c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Start(ctx) }()
		step := func(what string, wait time.Duration, want int32) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := patches.Load(); got != want {
				t.Errorf("%s: %d pokes, want %d", what, got, want)
			}
		}
		p.Poke(shop)
		step("the first comes at once", 0, 1)
		after := get(t, c)
		if after.Annotations[v1alpha1.ReconcileRequestAnnotation] == "" || after.Annotations["mine"] != "stays" {
			t.Errorf("the annotations are %v", after.Annotations)
		}
		delete(after.Annotations, v1alpha1.ReconcileRequestAnnotation)
		after.ResourceVersion = before.ResourceVersion
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("more than the annotation changed:\n%s", diff)
		}
		for range 1000 {
			p.Poke(shop)
		}
		step("a storm waits", 4*time.Second, 1)
		step("and is one poke", 2*time.Second, 2)
		step("and no more", time.Hour, 2)
		p.Poke(types.NamespacedName{Namespace: "team", Name: "gone"})
		step("a repository that went away is let go", time.Hour, 3)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAPokeThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var patches atomic.Int32
		failing := int32(2)
		c := cluster(interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if patches.Add(1) <= failing {
				return apierrors.NewServiceUnavailable("down")
			}
			return c.Patch(ctx, o, p, opts...)
		}})
		p := webhook.NewPoker(c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Start(ctx) }()
		p.Poke(shop)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := patches.Load(); n != 3 || get(t, c).Annotations[v1alpha1.ReconcileRequestAnnotation] == "" {
			t.Errorf("%d tries", n)
		}
		failing = 1000
		p.Poke(shop)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := patches.Load(); n != 6 {
			t.Errorf("%d tries in all, want 6: the next poll finds it", n)
		}
		cancel()
		<-done
	})
}

func get(t *testing.T, c client.Client) *v1alpha1.TestRepository {
	t.Helper()
	repo := &v1alpha1.TestRepository{}
	if err := c.Get(t.Context(), shop, repo); err != nil {
		t.Fatal(err)
	}
	return repo
}
