package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/assay-dev/assay/runner/report"
)

const secret = `s3cr3t/"päss"+wörd`

func TestSecretsAreMaskedHoweverTheyShowUp(t *testing.T) {
	m := newMasker([]string{"TOKEN=" + secret, "KEY=-----BEGIN\nline-two-of-key\n-----END\n", "URL=http://example.org"}, []string{"TOKEN", "KEY"}, false)
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"as it is":               secret,
		"in a URL's query":       url.QueryEscape(secret),
		"in a URL's path":        url.PathEscape(secret),
		"in JSON":                string(quoted[1 : len(quoted)-1]),
		"in hexadecimal":         hex.EncodeToString([]byte(secret)),
		"in base64":              base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64 for URLs":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"in basic auth, 1 byte":  base64.StdEncoding.EncodeToString([]byte(":" + secret)),
		"in basic auth, 5 bytes": base64.StdEncoding.EncodeToString([]byte("user:" + secret)),
		"in basic auth, 6 bytes": base64.StdEncoding.EncodeToString([]byte("admin:" + secret + "!")),
		"a line of it":           "line-two-of-key",
	} {
		got := m.text("before " + text + " after")
		if !strings.Contains(got, masked) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%s: %q", name, got)
		}
		// What stands around the secret may stay: at most ten characters, of "admin:" and the "!".
		if rest := len(got) - len("before "+masked+" after"); rest > 10 && name != "as it is" {
			t.Errorf("%s: too much is left in %q", name, got)
		}
	}
	if got := m.text("http://example.org"); got != "http://example.org" {
		t.Errorf("what is public is masked: %q", got)
	}
}

func TestWithASecretAsAWholeEverythingElseIsSecret(t *testing.T) {
	m := newMasker([]string{"FROM_SECRET=hunter22", "BASE_URL=http://example.org", "PATH=/usr/bin", "X=abc"}, []string{"BASE_URL"}, true)
	if got := m.text("hunter22 http://example.org /usr/bin abc"); got != "*** http://example.org /usr/bin abc" {
		t.Error(got)
	}
}

// TestOrdinaryValuesStayReadable: with a Secret as a whole nobody tells the image's own variables from the Secret's.
func TestOrdinaryValuesStayReadable(t *testing.T) {
	environment := []string{
		"NODE_ENV=test", "GOTOOLCHAIN=local", "DEBUG=true", "DEBUG_ALL=False", "PORT=8080", "GOLANG_VERSION=1.26.1", "WAIT=300s",
	}
	hidden := []string{
		"API=hunter22", "PASSWORD=hunter22", "DB_PASSWORD=letmein", "SIGNING_KEY=1234567", "DOOR_PIN=4711",
		"MIXED=Correct", "LONG=abcdefghijklm", "ID=123456789",
	}
	m := newMasker(append(environment, hidden...), nil, true)
	const said = "test/login.test.js: expected true, got False (localhost:8080, go 1.26.1, 300s)"
	if got := m.text(said); got != said {
		t.Errorf("%q became %q", said, got)
	}
	for _, h := range hidden {
		if _, value, _ := strings.Cut(h, "="); m.text("it is "+value) != "it is "+masked {
			t.Errorf("%s is shown", h)
		}
	}
	if got := newMasker([]string{"MODE=test"}, []string{"MODE"}, false).text("test"); got != masked {
		t.Errorf("a variable that is known to come from a Secret is shown: %q", got)
	}
}

func TestNoSecretLeavesThePod(t *testing.T) {
	p := newPod(t, nil)
	p.env = append(p.env, "TOKEN=hunter22hunter", "ASSAY_SECRETS=named", "ASSAY_SECRET_NAMES=TOKEN\nOTHER")
	xml := `<testsuite name="hunter22hunter"><testcase classname="hunter22hunter" name="hunter22hunter" file="hunter22hunter"><failure message="got hunter22hunter"/></testcase></testsuite>`
	r := p.run(junit("out.xml"), sh("echo $TOKEN; echo '"+xml+"' > out.xml; exit 1")...)
	p.mu.Lock()
	told := string(p.outcomes[0])
	p.mu.Unlock()
	if strings.Contains(told, "hunter22") || r.outcome.Counts.Failed != 1 || r.outcome.Output != masked {
		t.Errorf("told: %s", told)
	}

	q := newPod(t, nil)
	q.env = append(q.env, "TOKEN=hunter22hunter", "ASSAY_SECRETS=all-but-named", "ASSAY_SECRET_NAMES=")
	if r := q.run(nil, "hunter22hunter"); r.outcome.Reason != report.ReasonCommandNotFound || strings.Contains(r.outcome.Message, "hunter22") {
		t.Errorf("%+v", r.outcome)
	}
}

func TestTheTailShowsNoHalfASecret(t *testing.T) {
	secret := strings.Repeat("abcdefgh", 40)
	m := newMasker([]string{"TOKEN=" + secret}, []string{"TOKEN"}, false)
	for _, size := range []int{tailBytes / 2, tailBytes, tailBytes + 100, 2*tailBytes + 1, 5 * tailBytes} {
		text := strings.Repeat(secret+"\n", size/len(secret)+1)
		tail := &tail{}
		for len(text) > 0 {
			n := min(len(text), 1000)
			if _, err := tail.Write([]byte(text[:n])); err != nil {
				t.Fatal(err)
			}
			text = text[n:]
		}
		if got := tail.text(m); strings.Contains(got, "abc") || !strings.Contains(got, masked) {
			t.Errorf("%d bytes: %.60q", size, got)
		}
	}
}

// TestTheTokenIsASecretToo: a command that prints the gateway's token is shown to nobody.
func TestTheTokenIsASecretToo(t *testing.T) {
	p := newPod(t, nil)
	r := p.run(nil, sh("cat "+p.token+"; exit 1")...)
	if strings.Contains(r.outcome.Output, "the-token") || !strings.Contains(r.outcome.Output, masked) {
		t.Errorf("the output is %q", r.outcome.Output)
	}
}

func TestEncodingsAreMasked(t *testing.T) {
	const secret = `S3cr3t/Pa+ss=w0rd<&'">`
	m := newMasker([]string{"TOKEN=" + secret}, []string{"TOKEN"}, false)
	for _, shown := range []string{
		"S3cr3t%2fPa%2bss%3dw0rd%3c%26%27%22%3e", "S3cr3t%2FPa%2Bss%3Dw0rd%3C%26%27%22%3E",
		"S3cr3t/Pa+ss=w0rd&lt;&amp;&#39;&#34;&gt;", "S3cr3t/Pa+ss=w0rd&lt;&amp;&#39;&quot;&gt;",
		"S3cr3t/Pa+ss=w0rd&lt;&amp;&apos;&quot;&gt;", "S3cr3t/Pa+ss=w0rd&lt;&amp;&#x27;&quot;&gt;",
	} {
		if got := m.text("is " + shown); got != "is "+masked {
			t.Errorf("%s: %s", shown, got)
		}
	}
}
