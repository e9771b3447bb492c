//go:build apiserver

package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/report"
)

var key = proof.Must(make([]byte, proof.KeyBytes))

const digest = "sha256:0123456789abcdef"

// world is a gateway in front of a real API server, with one run and its pod.
type world struct {
	client client.Client
	kube   *kubernetes.Clientset
	url    string
	pod    *corev1.Pod
}

type contentFunc func(digest string) string

func (f contentFunc) Open(_ context.Context, _ *v1alpha1.TestRun, suite, digest string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(suite + " " + f(digest))), nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := apiservertest.Start(t)
	w := &world{kube: kubernetes.NewForConfigOrDie(server.Config), client: server}
	handler := New(w.client, watched(t, server), w.kube.AuthenticationV1().TokenReviews(), key, contentFunc(func(d string) string { return d }), Options{})
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	w.url = served.URL

	w.create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "tests"}})
	run := &v1alpha1.TestRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "run"},
		Spec: v1alpha1.TestRunSpec{
			RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: "staging",
			Commit: strings.Repeat("a", 40), Cause: v1alpha1.Cause{Type: v1alpha1.CauseAPI},
		},
	}
	w.create(t, run)
	w.pod = w.newPod(t, "pod", map[string]string{
		v1alpha1.ManagedByLabel: v1alpha1.ManagedBy, v1alpha1.RunLabel: "run", v1alpha1.RunNamespaceLabel: "default",
		v1alpha1.RunUIDLabel: string(run.UID), v1alpha1.SuiteLabel: "smoke",
	})
	return w
}

// watched gives a cache of the server's objects, as the controller has one.
func watched(t *testing.T, server *apiservertest.Server) client.Reader {
	t.Helper()
	c, err := cache.New(server.Config, cache.Options{Scheme: server.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var stopped sync.WaitGroup
	stopped.Go(func() {
		if err := c.Start(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); stopped.Wait() })
	return c
}

func (w *world) create(t *testing.T, o client.Object) {
	t.Helper()
	if err := w.client.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func (w *world) newPod(t *testing.T, name string, labels map[string]string) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: labels, Annotations: map[string]string{v1alpha1.ContentAnnotation: digest}},
		Spec:       corev1.PodSpec{ServiceAccountName: "tests", Containers: []corev1.Container{{Name: "suite", Image: "image"}}},
	}
	key.SignPod(pod)
	w.create(t, pod)
	return pod
}

// forged gives a pod that somebody made who may create pods, with everything that a pod of the run shows.
func (w *world) forged(t *testing.T, name string, change func(*corev1.Pod)) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: w.pod.Labels, Annotations: w.pod.Annotations}, Spec: w.pod.Spec}
	pod.Spec.NodeName = ""
	change(pod)
	w.create(t, pod)
	return pod
}

// token asks for a projected token as the kubelet does: bound to a pod, for an audience.
func (w *world) token(t *testing.T, pod *corev1.Pod, audience string) string {
	t.Helper()
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{Audiences: []string{audience}}}
	if pod != nil {
		request.Spec.BoundObjectRef = &authv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}
	}
	made, err := w.kube.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), "tests", request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.Status.Token
}

// label marks the pod, so that a watch knows what came before.
func (w *world) label(t *testing.T, pod *corev1.Pod, name string) {
	t.Helper()
	marked := pod.DeepCopy()
	marked.Labels[name] = "yes"
	if err := w.client.Patch(t.Context(), marked, client.MergeFrom(pod)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) do(t *testing.T, method, path, token, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestAPIServerGateway(t *testing.T) {
	w := newWorld(t)
	foreign := w.newPod(t, "foreign", nil)
	own := w.token(t, w.pod, Audience)
	copied := w.forged(t, "copied", func(*corev1.Pod) {})
	claims := w.forged(t, "claims", func(p *corev1.Pod) { p.Annotations = map[string]string{v1alpha1.ContentAnnotation: digest} })

	t.Run("content goes to the pod that it is for, and to nobody else", func(t *testing.T) {
		if code, body := w.do(t, "GET", "/v1/content/"+digest, own, ""); code != http.StatusOK || body != "smoke "+digest {
			t.Errorf("its own content: %d %s", code, body)
		}
		cases := []struct {
			name, path, token string
			code              int
		}{
			{"no token", "/v1/content/" + digest, "", http.StatusUnauthorized},
			{"nonsense for a token", "/v1/content/" + digest, "nonsense", http.StatusUnauthorized},
			{"a token for the API server", "/v1/content/" + digest, w.token(t, w.pod, "https://kubernetes.default.svc"), http.StatusUnauthorized},
			{"a token that is bound to no pod", "/v1/content/" + digest, w.token(t, nil, Audience), http.StatusForbidden},
			{"a pod that is not Assay's", "/v1/content/" + digest, w.token(t, foreign, Audience), http.StatusForbidden},
			{"another digest", "/v1/content/sha256:other", own, http.StatusForbidden},
			{"a pod that copies all of it", "/v1/content/" + digest, w.token(t, copied, Audience), http.StatusForbidden},
			{"a pod that copies its labels", "/v1/content/" + digest, w.token(t, claims, Audience), http.StatusForbidden},
		}
		for _, c := range cases {
			if code, body := w.do(t, "GET", c.path, c.token, ""); code != c.code || !strings.Contains(body, `"error"`) {
				t.Errorf("%s: %d %s, want %d", c.name, code, body, c.code)
			}
		}
	})

	t.Run("an outcome is bounded and checked, and the first one stands", func(t *testing.T) {
		for body, want := range map[string]int{
			"{":                               http.StatusBadRequest,
			`{"exitCode":0,"verdict":"good"}`: http.StatusBadRequest,
			`{"output":"` + strings.Repeat("x", report.OutcomeBytes) + `"}`: http.StatusRequestEntityTooLarge,
		} {
			if code, _ := w.do(t, "POST", "/v1/outcome", own, body); code != want {
				t.Errorf("%.40s: %d, want %d", body, code, want)
			}
		}
		for exit := 1; exit <= 2; exit++ {
			if code, body := w.do(t, "POST", "/v1/outcome", own, fmt.Sprintf(`{"exitCode":%d}`, exit)); code != http.StatusNoContent {
				t.Errorf("outcome %d: %d %s", exit, code, body)
			}
		}
		pod := &corev1.Pod{}
		if err := w.client.Get(t.Context(), types.NamespacedName{Namespace: "default", Name: "pod"}, pod); err != nil {
			t.Fatal(err)
		}
		text, proved := key.Outcome(pod)
		outcome, err := report.DecodeOutcome([]byte(text))
		if err != nil || outcome.ExitCode != 1 || !proved {
			t.Errorf("the annotation is %q, %v, %v", text, proved, err)
		}
	})

	t.Run("an outcome that somebody wrote by hand does not stand", func(t *testing.T) {
		edited := w.newPod(t, "edited", w.pod.Labels)
		before := edited.DeepCopy()
		edited.Annotations[v1alpha1.OutcomeAnnotation] = `{"exitCode":0}`
		if err := w.client.Patch(t.Context(), edited, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
		if code, body := w.do(t, "POST", "/v1/outcome", w.token(t, edited, Audience), `{"exitCode":7}`); code != http.StatusNoContent {
			t.Fatalf("%d %s", code, body)
		}
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(edited), edited); err != nil {
			t.Fatal(err)
		}
		if text, ok := key.Outcome(edited); !ok || !strings.Contains(text, `"exitCode":7`) {
			t.Errorf("the annotation is %q, %v", text, ok)
		}
	})

	t.Run("of outcomes that arrive together one stands and is not replaced", func(t *testing.T) {
		together := w.newPod(t, "together", w.pod.Labels)
		token := w.token(t, together, Audience)
		watch, err := w.kube.CoreV1().Pods("default").Watch(t.Context(), metav1.SingleObject(together.ObjectMeta))
		if err != nil {
			t.Fatal(err)
		}
		var posts sync.WaitGroup
		for exit := range 8 {
			posts.Go(func() {
				for { // a pod has two at the same time
					code, body := w.do(t, "POST", "/v1/outcome", token, fmt.Sprintf(`{"exitCode":%d}`, exit))
					if code == http.StatusTooManyRequests {
						continue
					}
					if code != http.StatusNoContent {
						t.Errorf("outcome %d: %d %s", exit, code, body)
					}
					return
				}
			})
		}
		posts.Wait()
		w.label(t, together, "last")
		seen := map[string]bool{}
		for event := range watch.ResultChan() {
			pod := event.Object.(*corev1.Pod)
			if text, ok := pod.Annotations[v1alpha1.OutcomeAnnotation]; ok {
				seen[text] = true
			}
			if pod.Labels["last"] != "" {
				watch.Stop()
				break
			}
		}
		if len(seen) != 1 {
			t.Errorf("the annotation was %d different ones", len(seen))
		}
	})

	t.Run("a pod in the place of the recorded one is nobody", func(t *testing.T) {
		second := w.newPod(t, "second", w.pod.Labels)
		run := &v1alpha1.TestRun{}
		if err := w.client.Get(t.Context(), types.NamespacedName{Namespace: "default", Name: "run"}, run); err != nil {
			t.Fatal(err)
		}
		run.Status.Suites = []v1alpha1.SuiteStatus{{Name: "smoke", State: v1alpha1.StateRunning, Attempts: []v1alpha1.Attempt{
			{Number: 1, Pod: second.Name, PodUID: "first", State: v1alpha1.StateRunning}}}}
		if err := w.client.Status().Update(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		token := w.token(t, second, Audience)
		apiservertest.Until(t, "it is refused", func() bool {
			code, _ := w.do(t, "GET", "/v1/content/"+digest, token, "")
			return code == http.StatusForbidden
		}, func() any { return run.Status })
	})

	t.Run("a pod that has ended has nothing more to say", func(t *testing.T) {
		w.pod.ResourceVersion = ""
		pod := w.pod.DeepCopy()
		pod.Status.Phase = corev1.PodSucceeded
		if err := w.client.Status().Patch(t.Context(), pod, client.MergeFrom(w.pod)); err != nil {
			t.Fatal(err)
		}
		apiservertest.Until(t, "it is refused", func() bool {
			code, _ := w.do(t, "GET", "/v1/content/"+digest, own, "")
			return code == http.StatusForbidden
		}, func() any { return pod.Status })
	})
}
