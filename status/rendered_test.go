//go:build e2e

package status

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"code.gitea.io/sdk/gitea"
)

// What a real forge makes of hostile text: the Gitea of GITEA_URL, GITEA_USER and GITEA_TOKEN
// shows it as comments, which may hold no link, mention, image or script.
func TestRenderedByGitea(t *testing.T) {
	user := os.Getenv("GITEA_USER")
	forge, err := gitea.NewClient(os.Getenv("GITEA_URL"), gitea.SetToken(os.Getenv("GITEA_TOKEN")))
	if err != nil {
		t.Fatal(err)
	}
	repository, _, err := forge.CreateRepo(gitea.CreateRepoOption{Name: fmt.Sprintf("rendered-%d", time.Now().UnixNano()), AutoInit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = forge.DeleteRepo(user, repository.Name) })
	for _, hostile := range []string{
		"@" + user + " #1 !1 " + user + "/shop#1 closes #1", "[x](https://evil.example) ![y](https://evil.example/z.png)",
		"https://evil.example www.evil.example mailto:a@evil.example a@evil.example", "<b>x</b><script>alert(1)</script><img src=x>",
		"</details></summary></td> | a | b |", "```\n</details>\n@" + user + "\n````", "`code` **bold** __b__ ~~s~~ *i*",
		"&lt;img src=x&gt; &#64;" + user, `\@` + user + ` \[x](https://evil.example)`, "$a$ $$b$$",
	} {
		if len(hostile)%2 == 1 { // an even length gives the run that has suites
			hostile += "."
		}
		in := hostileInput(hostile, hostile+" ", 0)
		in.RunsURL = ""
		issue, _, err := forge.CreateIssue(user, repository.Name, gitea.CreateIssueOption{Title: "Hostile", Body: Compose(in).Comment})
		if err != nil {
			t.Fatal(err)
		}
		html := rendered(t, issue.HTMLURL)
		if m := regexp.MustCompile(`(?i)<(a|img|script|code|em|del|math|b)[ >][^>]*`).FindAllString(fences.ReplaceAllString(html, ""), -1); len(m) > 0 {
			t.Errorf("%q is rendered with %q\n%s", hostile, m, html)
		}
		if open, closed := strings.Count(html, "<details"), strings.Count(html, "</details>"); open != closed || open == 0 {
			t.Errorf("%q: %d details, %d closed\n%s", hostile, open, closed, html)
		}
	}
}

// fences are where text stands as it is.
var fences = regexp.MustCompile(`(?s)<pre.*?</pre>`)

// rendered gives the HTML of the body of an issue of a public repository.
func rendered(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(io.LimitReader(response.Body, 1<<22))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", response.Status, err)
	}
	_, html, found := strings.Cut(string(page), `class="render-content markup"`)
	html, _, ends := strings.Cut(html, `raw-content`)
	if !found || !ends || !strings.Contains(html, "suite") {
		t.Fatalf("no comment on %s", url)
	}
	return html
}
