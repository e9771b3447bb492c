//go:build e2e

package status

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// What a real forge makes of hostile text: it is rendered by the Gitea of GITEA_URL and
// GITEA_TOKEN as a comment, and may hold no link, mention, image or script.
func TestRenderedByGitea(t *testing.T) {
	user := os.Getenv("GITEA_USER")
	for _, hostile := range []string{
		"@" + user + " #1 !1 " + user + "/shop#1 closes #1", "[x](https://evil.example) ![y](https://evil.example/z.png)",
		"https://evil.example www.evil.example mailto:a@evil.example a@evil.example", "<b>x</b><script>alert(1)</script><img src=x>",
		"</details></summary></td> | a | b |", "```\n</details>\n@" + user + "\n````", "`code` **bold** __b__ ~~s~~ *i*",
		"&lt;img src=x&gt; &#64;" + user, `\@` + user + ` \[x](https://evil.example)`, ":tada: $a$ $$b$$",
	} {
		in := hostileInput(hostile, hostile+" ", 0)
		in.RunsURL = ""
		html := render(t, Compose(in).Comment)
		if m := regexp.MustCompile(`(?i)<(a|img|script|code|em|del|math|b)[ >][^>]*`).FindAllString(fences.ReplaceAllString(html, ""), -1); len(m) > 0 {
			t.Errorf("%q is rendered with %q\n%s", hostile, m, html)
		}
		if open, closed := strings.Count(html, "<details"), strings.Count(html, "</details>"); open != closed || open == 0 {
			t.Errorf("%q: %d details, %d closed", hostile, open, closed)
		}
	}
}

// fences are where text stands as it is.
var fences = regexp.MustCompile(`(?s)<pre.*?</pre>`)

func render(t *testing.T, comment string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"Text": comment, "Mode": "comment", "Context": os.Getenv("GITEA_USER") + "/shop"})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimRight(os.Getenv("GITEA_URL"), "/")+"/api/v1/markdown", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "token "+os.Getenv("GITEA_TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	html, err := io.ReadAll(io.LimitReader(response.Body, 1<<22))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", response.Status, err, html)
	}
	return string(html)
}
