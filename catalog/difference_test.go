package catalog

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestDifferences reads as the rules: which path a change has, and how values are shown.
func TestDifferences(t *testing.T) {
	tests := map[string]struct {
		before, after string
		want          []string // path: before -> after
	}{
		"nothing": {before: `spec: {tool: k6}`, after: `spec: {tool: k6}`},
		"a scalar": {
			before: `spec: {timeout: 10m, suspend: false}`, after: `spec: {timeout: 15m, suspend: true}`,
			want: []string{"spec.suspend:  -> true", "spec.timeout: 10m0s -> 15m0s"},
		},
		"labels, with names that need brackets": {
			before: `{metadata: {labels: {team: payments, old: "1"}}}`, after: `{metadata: {labels: {team: search, "example.org/tier": "2"}}}`,
			want: []string{`metadata.labels["example.org/tier"]:  -> 2`, "metadata.labels.old: 1 -> ", "metadata.labels.team: payments -> search"},
		},
		"variables by name, wherever they stand": {
			before: `spec: {env: [{name: A, value: "1"}, {name: BASE_URL, value: "http://a"}]}`,
			after:  `spec: {env: [{name: NEW, value: x}, {name: A, value: "1"}, {name: BASE_URL, value: "http://b"}]}`,
			want:   []string{"spec.env[name=BASE_URL].value: http://a -> http://b", "spec.env[name=NEW].value:  -> x"},
		},
		"a variable without a value": {
			before: `spec: {env: [{name: A}]}`, after: `spec: {}`,
			want: []string{"spec.env[name=A]: {} -> "},
		},
		"variables that change places": {
			before: `spec: {env: [{name: A, value: "1"}, {name: B, value: $(A)}]}`, after: `spec: {env: [{name: B, value: $(A)}, {name: A, value: "1"}]}`,
			want: []string{`spec.env: ["A", "B"] -> ["B", "A"]`},
		},
		"a Secret is named, as it is a name only": {
			before: `spec: {env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: old, key: token}}}]}`,
			after:  `spec: {env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: new, key: token}}}]}`,
			want:   []string{"spec.env[name=TOKEN].valueFrom.secretKeyRef.name: old -> new"},
		},
		"a value becomes a reference": {
			before: `spec: {env: [{name: TOKEN, value: hunter2}]}`,
			after:  `spec: {env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: new, key: token}}}]}`,
			want:   []string{"spec.env[name=TOKEN].value: *** -> ", "spec.env[name=TOKEN].valueFrom.secretKeyRef.key:  -> token", "spec.env[name=TOKEN].valueFrom.secretKeyRef.name:  -> new"},
		},
		"a short list of texts as a whole": {
			before: `spec: {args: [run, a.js]}`, after: `spec: {args: [run, --vus, "10", a.js]}`,
			want: []string{`spec.args: ["run", "a.js"] -> ["run", "--vus", "10", "a.js"]`},
		},
		"a list that comes": {before: `spec: {}`, after: `spec: {args: [a]}`, want: []string{`spec.args:  -> ["a"]`}},
		"a long list by position, without what is alike around it": {
			before: `spec: {args: [` + strings.Repeat("same, ", 60) + `old, end]}`, after: `spec: {args: [` + strings.Repeat("same, ", 60) + `new, more, end]}`,
			want: []string{"spec.args[60]: old -> new", "spec.args[61]:  -> more"},
		},
		"things without a name by position": {
			before: `spec: {"on": {schedule: [{cron: 0 2 * * *}]}}`, after: `spec: {"on": {schedule: [{cron: 0 1 * * *}, {cron: 0 2 * * *, timeZone: UTC}]}}`,
			want: []string{"spec.on.schedule[0].cron: 0 2 * * * -> 0 1 * * *", "spec.on.schedule[1].cron:  -> 0 2 * * *", "spec.on.schedule[1].timeZone:  -> UTC"},
		},
		"a section that goes, to its last field": {
			before: `spec: {"on": {push: {}, pullRequest: {paths: [a/**]}}}`, after: `spec: {"on": {pullRequest: {}}}`,
			want: []string{`spec.on.pullRequest.paths: ["a/**"] -> `, "spec.on.push: {} -> "},
		},
		"quantities that are written alike are equal": {
			before: `spec: {resources: {limits: {cpu: 1000m, memory: 1Gi}}}`, after: `spec: {resources: {limits: {cpu: "1", memory: 2Gi}}}`,
			want: []string{"spec.resources.limits.memory: 1Gi -> 2Gi"},
		},
		"an empty text is not nothing, and one line stays one": {
			before: `spec: {env: [{name: A, value: " x"}, {name: B, value: y}]}`, after: `spec: {env: [{name: A, value: "x\n\u202ey\e[31m"}, {name: B, value: y}], owners: [""]}`,
			want: []string{`spec.env[name=A].value: " x" -> "x\n\u202ey\x1b[31m"`, `spec.owners:  -> [""]`},
		},
		"a hostile name in a path": {
			before: `spec: {}`, after: `spec: {env: [{name: "A].value\n", value: x}]}`,
			want: []string{`spec.env[name="A].value\n"].value:  -> x`},
		},
		"two with one name by position": {
			before: `spec: {env: [{name: A, value: "1"}, {name: A, value: "2"}]}`, after: `spec: {env: [{name: A, value: "1"}, {name: A, value: "3"}]}`,
			want: []string{"spec.env[1].value: 2 -> 3"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := suiteOf(t, tt.before), suiteOf(t, tt.after)
			if diff := cmp.Diff(tt.want, lines(Differences(before, after))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSecretsAreMasked holds that nothing that looks like a secret is shown, and that its
// change is told all the same.
func TestSecretsAreMasked(t *testing.T) {
	env := func(name, value string) string {
		return fmt.Sprintf(`spec: {env: [{name: %s, value: %q}]}`, name, value)
	}
	args := func(list string) string { return `spec: {args: [` + list + `]}` }
	tests := map[string]struct {
		before, after string
		want          []string
	}{
		"a variable":          {env("API_TOKEN", "hunter2"), env("API_TOKEN", "hunter3"), []string{"spec.env[name=API_TOKEN].value: *** -> *** (changed)"}},
		"in lower case":       {env("dbPassword", "hunter2"), env("dbPassword", "hunter3"), []string{"spec.env[name=dbPassword].value: *** -> *** (changed)"}},
		"a key":               {env("ACCESS_KEY_ID", "hunter2"), env("ACCESS_KEY_ID", ""), []string{"spec.env[name=ACCESS_KEY_ID].value: *** -> "}},
		"not a keyboard":      {env("KEYBOARD", "qwerty"), env("KEYBOARD", "azerty"), []string{"spec.env[name=KEYBOARD].value: qwerty -> azerty"}},
		"nor a reference":     {env("TOKEN", "hunter2"), env("TOKEN", "$(OTHER)"), []string{"spec.env[name=TOKEN].value: *** -> $(OTHER)"}},
		"credentials of URLs": {env("BASE_URL", "https://sam:hunter2@a/"), env("BASE_URL", "https://sam:hunter3@a/"), []string{"spec.env[name=BASE_URL].value: https://***@a/ -> https://***@a/ (changed)"}},
		"a flag with = ":      {args(`--user=sam, --password=hunter2`), args(`--user=kim, --password=hunter2`), []string{`spec.args: ["--user=sam", "--password=***"] -> ["--user=kim", "--password=***"]`}},
		"a flag and its value": {
			args(`--api-key, hunter2, run`), args(`--api-key, hunter3, run`),
			[]string{`spec.args: ["--api-key", "***", "run"] -> ["--api-key", "*** (changed)", "run"]`},
		},
		"inside a script": {
			args(`"TOKEN=hunter2 curl -H 'Authorization: Bearer hunter2hunter2' $URL"`), args(`"TOKEN=hunter3 curl -H 'Authorization: Bearer hunter2hunter2' $URL"`),
			[]string{`spec.args: ["TOKEN=*** curl -H 'Authorization: Bearer ***' $URL"] -> ["TOKEN=*** curl -H 'Authorization: Bearer ***' $URL (changed)"]`},
		},
		"two that change places": {args(`--token=hunter2, --token=hunter3`), args(`--token=hunter3, --token=hunter2`), []string{"spec.args: *** -> *** (changed)"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := suiteOf(t, tt.before), suiteOf(t, tt.after)
			if diff := cmp.Diff(tt.want, lines(Differences(before, after))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			b, a := Masked(before, after)
			if text := fmt.Sprint(b, a); strings.Contains(text, "hunter") {
				t.Errorf("a secret in %s", text)
			}
		})
	}
}

// Long values are cut so that the change is seen, and many are counted.
func TestDifferencesAreBounded(t *testing.T) {
	long := strings.Repeat("ä", 500)
	before, after := suiteOf(t, `spec: {image: "`+long+`a", workingDir: "`+long+`"}`), suiteOf(t, `spec: {image: "`+long+`b"}`)
	d := Differences(before, after)
	for _, f := range d.Fields {
		if len(f.Before) > 220 || len(f.After) > 220 || f.Before == f.After {
			t.Errorf("%s: %d and %d bytes: %s -> %s", f.Path, len(f.Before), len(f.After), f.Before, f.After)
		}
	}
	if !strings.HasSuffix(d.Fields[0].Before, "äa") || !strings.HasPrefix(d.Fields[0].Before, "…ä") {
		t.Errorf("the end is not shown: %s", d.Fields[0].Before)
	}
	script := strings.Repeat("token=x ", 1000)
	d = Differences(suiteOf(t, `spec: {image: "`+script+`a", args: ["`+script+`"]}`), suiteOf(t, `spec: {image: "`+script+`b"}`))
	if diff := cmp.Diff([]string{`spec.args: ["(8000 bytes)"] -> `, "spec.image: (8001 bytes) -> (8001 bytes) (changed)"}, lines(d)); diff != "" {
		t.Errorf("what is too long to be searched (-want +got):\n%s", diff)
	}
	many := v1alpha1.TestSuite{}
	for i := range 150 {
		many.Spec.Args = append(many.Spec.Args, fmt.Sprint("argument", i))
	}
	d = Differences(&v1alpha1.TestSuite{}, &many)
	if len(d.Fields) != maxDifferences || d.More != 50 {
		t.Errorf("%d fields and %d more, want %d and 50", len(d.Fields), d.More, maxDifferences)
	}
}

// FuzzDifferences holds whatever a repository writes to what a status may hold, and the secret
// out of it.
func FuzzDifferences(f *testing.F) {
	for _, seed := range []string{"plain", "", "a\nb", "--token", "TOKEN=x y", "https://a:b@c", "\u202e\x00\xff", "$(A)", "[name=A]", strings.Repeat("ä", 300), "Bearer abcdefgh"} {
		f.Add(seed, "other")
		f.Add("other", seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		const secret = "Hunter2Hunter2"
		suite := func(x, y, hidden string) *v1alpha1.TestSuite {
			s := &v1alpha1.TestSuite{Spec: v1alpha1.TestSuiteSpec{
				Image: x, Args: []string{y, "--password", hidden, x, "--token=" + hidden},
				Env: []corev1.EnvVar{{Name: x, Value: y}, {Name: "API_TOKEN", Value: hidden}, {Name: y, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: x}}}},
			}}
			s.Labels = map[string]string{x: y}
			return s
		}
		before, after := suite(a, b, secret+"A"), suite(b, a, secret+"B")
		d := Differences(before, after)
		if len(d.Fields) == 0 || len(Differences(before, before).Fields) > 0 {
			t.Errorf("%d fields differ, and %d from itself", len(d.Fields), len(Differences(before, before).Fields))
		}
		for _, line := range d.Fields {
			for _, text := range []string{line.Path, line.Before, line.After} {
				if len(text) > 256 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("not one short line: %q", text)
				}
				if strings.Contains(text, secret) {
					t.Errorf("a secret in %q", text)
				}
			}
			if line.Path == "" || line.Before == line.After {
				t.Errorf("it says nothing: %+v", line)
			}
		}
	})
}

func suiteOf(t *testing.T, text string) *v1alpha1.TestSuite {
	t.Helper()
	s := &v1alpha1.TestSuite{}
	if err := yaml.UnmarshalStrict([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func lines(d v1alpha1.SuiteDifference) (all []string) {
	for _, f := range d.Fields {
		all = append(all, f.Path+": "+f.Before+" -> "+f.After)
	}
	return all
}
