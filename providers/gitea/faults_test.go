package gitea_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/gitea"
)

const token = "s3cr3t-t0ken"

func TestAnswersBecomeFaults(t *testing.T) {
	for name, c := range map[string]struct {
		code   int
		header string
		body   string
		want   fault.Reason
		after  time.Duration
		text   string
	}{
		"401":                           {401, "", `{"message":"user does not exist"}`, fault.AuthenticationFailed, 0, "write:repository, write:issue and read:user"},
		"403":                           {403, "", `{"message":"token does not have at least one of required scope(s)"}`, fault.AuthenticationFailed, 0, "apiToken"},
		"404":                           {404, "", `{"message":"not found"}`, fault.RepositoryNotFound, 0, "spec.url"},
		"429 in seconds":                {429, "17", `{}`, fault.RateLimited, 17 * time.Second, "429"},
		"429 for far too long":          {429, "999999", `{}`, fault.RateLimited, time.Hour, ""},
		"429 without a time":            {429, "", ``, fault.RateLimited, 0, ""},
		"500":                           {500, "", `oops`, fault.HostFailed, 0, "500"},
		"503 asks to wait":              {503, "5", `<html>`, fault.HostFailed, 5 * time.Second, ""},
		"422 is our bug":                {422, "", `{"message":"bad"}`, fault.InternalError, 0, "422"},
		"200 but not Gitea":             {200, "", `<html>hello</html>`, fault.HostFailed, 0, "does not answer like Gitea"},
		"200 of another shape":          {200, "", `{"a":1}`, fault.HostFailed, 0, "does not answer like Gitea"},
		"control characters and length": {500, "", `{"message":"\u001b[31m` + strings.Repeat(`x\n`, 1000) + `"}`, fault.HostFailed, 0, "…"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				w.WriteHeader(c.code)
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			err := list(t, providers.Config{URL: server.URL + "/team/shop", Token: token})
			wantFault(t, err, c.want, c.text)
			if got := fault.RetryAfter(err); got != c.after {
				t.Errorf("retry after %s, want %s", got, c.after)
			}
		})
	}
}

// TestOfWhatIsNoForgeNothingIsShown: spec.apiURL may lead anywhere in the cluster.
func TestOfWhatIsNoForgeNothingIsShown(t *testing.T) {
	const inside = "inner-words"
	for name, c := range map[string]struct{ contentType, body string }{
		"text":                       {"text/plain", inside},
		"a page":                     {"text/html", "<html>" + inside},
		"JSON of another shape":      {"application/json", `{"error":"` + inside + `"}`},
		"a message that is no text":  {"application/json", `{"message":{"a":"` + inside + `"}}`},
		"a list":                     {"application/json", `["` + inside + `"]`},
		"a Status of Kubernetes":     {"application/json", `{"kind":"Status","details":{"name":"` + inside + `"},"message":""}`},
		"a message, not of JSON":     {"text/plain", `{"message":"` + inside + `"}`},
		"nothing that says its type": {"", inside},
	} {
		for _, code := range []int{400, 401, 403, 404, 422, 429, 500, 503} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{c.contentType}
				w.WriteHeader(code)
				fmt.Fprint(w, c.body)
			}))
			err := list(t, providers.Config{URL: server.URL + "/team/shop", Token: token})
			server.Close()
			if err == nil || strings.Contains(err.Error(), inside) || !strings.Contains(err.Error(), fmt.Sprint(code)) {
				t.Errorf("%s with %d: %v", name, code, err)
			}
		}
	}
	refused := fault.New(fault.HostNotTrusted, fault.Place{}, "", "a loopback address")
	err := list(t, providers.Config{URL: "http://git.example/team/shop", Token: token, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, refused
	}})
	wantFault(t, err, fault.HostNotTrusted, "a loopback address")
}

// Gitea denies the list of a repository whose first push it has not noticed yet.
func TestAListThatIsDeniedAndThenThereIsRead(t *testing.T) {
	denied := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/pulls"):
			fmt.Fprint(w, `{"empty": false, "has_pull_requests": true}`)
		case denied == 0:
			denied++
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, "[]")
		}
	}))
	defer server.Close()
	if err := list(t, providers.Config{URL: server.URL + "/team/shop", Token: token}); err != nil || denied != 1 {
		t.Errorf("got %v, denied %d times", err, denied)
	}
}

func TestConnectionsBecomeFaults(t *testing.T) {
	tls := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "[]") }))
	defer tls.Close()
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		block := []byte(strings.Repeat(" ", 1<<20))
		for range 40 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer huge.Close()
	stolen := false
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { stolen = true; fmt.Fprint(w, "[]") }))
	defer thief.Close()
	redirects := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer redirects.Close()

	for name, c := range map[string]struct {
		url  string
		want fault.Reason
		text string
	}{
		"unknown authority":        {tls.URL, fault.HostNotTrusted, "ca.crt"},
		"HTTPS to an HTTP port":    {"https" + strings.TrimPrefix(hangs.URL, "http"), fault.HostNotTrusted, "TLS"},
		"no answer in time":        {hangs.URL, fault.HostUnreachable, "within 200ms"},
		"nobody listens":           {closed.URL, fault.HostUnreachable, "connection refused"},
		"no such name":             {"http://nowhere.invalid", fault.HostUnreachable, "nowhere.invalid"},
		"an endless answer":        {huge.URL, fault.LimitExceeded, "32 MiB"},
		"redirect to another host": {redirects.URL, fault.HostNotTrusted, "spec.apiURL"},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := time.Minute
			if c.url == hangs.URL {
				timeout = 200 * time.Millisecond
			}
			err := list(t, providers.Config{URL: c.url + "/team/shop", Token: token, Timeout: timeout})
			wantFault(t, err, c.want, c.text)
		})
	}
	if stolen {
		t.Error("the token went to another host")
	}
}

func TestOwnAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "[]") }))
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := list(t, providers.Config{URL: server.URL + "/team/shop", CA: ca}); err != nil {
		t.Error(err)
	}
	_, err := gitea.Open(t.Context(), providers.Config{URL: server.URL + "/team/shop", CA: []byte("none")})
	wantFault(t, err, fault.SecretInvalid, "ca.crt")
}

func TestTheAPIIsReachedThroughTheProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
		asked = append(asked, r.URL.Host, user, password)
		fmt.Fprint(w, "[]")
	}))
	defer proxy.Close()
	dialled := 0
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	through.User = url.UserPassword("robot", "swordfish")
	err = list(t, providers.Config{URL: "http://git.proxied/team/shop", Proxy: through, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled++
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"git.proxied", "Basic", "cm9ib3Q6c3dvcmRmaXNo"}; !slices.Equal(asked, want) || dialled != 1 {
		t.Errorf("the proxy was asked %q over %d connections, want %q over one", asked, dialled, want)
	}
}

func TestAPollCostsOneRequest(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if got := r.Header.Get("User-Agent"); got != "assay/test" {
			t.Errorf("User-Agent %q", got)
		}
		if got := r.Header.Get("Authorization"); got != "token "+token {
			t.Errorf("Authorization %q", got)
		}
		fmt.Fprint(w, "[]")
	}))
	defer server.Close()
	if err := list(t, providers.Config{URL: server.URL + "/team/shop", Token: token, UserAgent: "assay/test"}); err != nil {
		t.Fatal(err)
	}
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
}

// Gitea sometimes says under load that the token's user does not exist, though the commit does.
func TestSetRepeatsWhatMayPass(t *testing.T) {
	for failures, want := range map[int]fault.Reason{0: "", 2: "", 3: fault.HostFailed} {
		t.Run(fmt.Sprintf("%d failures", failures), func(t *testing.T) {
			posts := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					fmt.Fprint(w, "{}") // repository and commit are there
					return
				}
				if posts++; posts <= failures {
					w.WriteHeader(http.StatusInternalServerError)
					fmt.Fprint(w, `{"message":"user does not exist"}`)
					return
				}
				w.WriteHeader(http.StatusCreated)
				fmt.Fprint(w, "{}")
			}))
			defer server.Close()
			f, err := gitea.Open(t.Context(), providers.Config{URL: server.URL + "/team/shop", Token: token})
			if err != nil {
				t.Fatal(err)
			}
			err = f.Statuses.Set(t.Context(), strings.Repeat("a", 40), providers.Status{Context: "assay/staging", State: providers.Success})
			if want == "" && err != nil {
				t.Errorf("%v after %d posts", err, posts)
			} else if want != "" {
				wantFault(t, err, want, "")
			}
		})
	}
}

func TestForeignHeads(t *testing.T) {
	const pr = `{"number":%d,"title":%q,"html_url":"https://x/1","user":{"login":"ann"},"merge_base":"b0",
		"base":{"ref":"main","label":"main","sha":"b1","repo_id":7},"head":{"ref":%q,"label":%q,"sha":"h","repo_id":%d}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "[%s,%s,%s,%s,%s]",
			fmt.Sprintf(pr, 1, "a branch of the repository", "topic", "topic", 7),
			fmt.Sprintf(pr, 2, "a fork", "topic", "topic", 8),
			fmt.Sprintf(pr, 3, "a fork that is gone", "refs/pull/3/head", "topic", -1),
			fmt.Sprintf(pr, 4, "AGit, by anybody who reads", "refs/pull/4/head", "", 7),
			fmt.Sprintf(pr, 5, "[wip] an old Gitea without the field draft", "topic", "topic", 7))
	}))
	defer server.Close()
	f, err := gitea.Open(t.Context(), providers.Config{URL: server.URL + "/team/shop"})
	if err != nil {
		t.Fatal(err)
	}
	open, err := f.PullRequests.Open(t.Context())
	if err != nil || len(open) != 5 {
		t.Fatalf("open = %+v, %v", open, err)
	}
	for i, want := range []bool{false, true, true, true, false} {
		if open[i].Fork != want {
			t.Errorf("%s: fork %t, want %t", open[i].Title, open[i].Fork, want)
		}
	}
	if open[0].Draft || !open[4].Draft {
		t.Errorf("drafts: %+v", open)
	}
}

func list(t *testing.T, config providers.Config) error {
	t.Helper()
	f, err := gitea.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.PullRequests.Open(t.Context())
	return err
}

func wantFault(t *testing.T, err error, want fault.Reason, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	if got := fault.ReasonOf(err); got != want {
		t.Errorf("reason %s, want %s: %v", got, want, err)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("%q does not say %q", err, text)
	}
	if strings.Contains(err.Error(), token) || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 700 {
		t.Errorf("not one short line without the token: %q", err)
	}
}
