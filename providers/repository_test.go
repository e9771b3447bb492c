package providers_test

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

func TestLocate(t *testing.T) {
	for name, c := range map[string]struct{ url, api, root, repository string }{
		"root from the URL":      {"https://git.example.org/team/shop.git", "", "https://git.example.org", "team/shop"},
		"no .git":                {"http://git.example.org:3000/team/shop/", "", "http://git.example.org:3000", "team/shop"},
		"ssh with an API":        {"ssh://git@git.example.org:2222/team/shop.git", "https://git.example.org", "https://git.example.org", "team/shop"},
		"forge below a path":     {"https://example.org/forge/team/shop.git", "https://example.org/forge/", "https://example.org/forge", "team/shop"},
		"groups":                 {"https://git.example.org/a/b/shop", "", "https://git.example.org", "a/b/shop"},
		"API on another host":    {"https://git.example.org/team/shop.git", "https://api.example.org", "https://api.example.org", "team/shop"},
		"credentials are no API": {"https://user:pass@git.example.org/team/shop.git", "", "https://git.example.org", "team/shop"},
	} {
		t.Run(name, func(t *testing.T) {
			root, repository, err := providers.Config{URL: c.url, APIURL: c.api}.Locate()
			if err != nil || root.String() != c.root || repository.String() != c.repository {
				t.Errorf("Locate = %v, %v, %v; want %s, %s", root, repository, err, c.root, c.repository)
			}
		})
	}
}

func TestLocateRefuses(t *testing.T) {
	for name, c := range map[string]providers.Config{
		"ssh without an API":  {URL: "ssh://git@git.example.org/team/shop.git"},
		"no owner":            {URL: "https://git.example.org/shop.git"},
		"no path":             {URL: "https://git.example.org"},
		"dots in the path":    {URL: "https://git.example.org/../admin/shop"},
		"not a URL":           {URL: "https://user:secret@git.example.org:port/team/shop"},
		"API of other scheme": {URL: "https://git.example.org/team/shop", APIURL: "file:///etc"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := c.Locate()
			if err == nil || fault.ReasonOf(err) != fault.InvalidSpec {
				t.Fatalf("error %v, want InvalidSpec", err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
