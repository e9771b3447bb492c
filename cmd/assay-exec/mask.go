package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/assay-dev/assay/runner/report"
)

const (
	// shortest is the length from which on a value is masked: shorter ones are in every text.
	shortest = 4
	masked   = "***"
)

// masker removes the values of secrets from what leaves the pod.
type masker struct{ replacer *strings.Replacer }

// newMasker takes the environment and the names of the variables that hold secrets. When a
// whole Secret became variables, their names are not known; then public names those that are
// harmless, and every other is taken for a secret.
func newMasker(environment []string, secret, public string) masker {
	secrets, publics := strings.Split(secret, ","), strings.Split(public, ",")
	_, allButPublic := os.LookupEnv("ASSAY_PUBLIC")
	var values []string
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix) {
			continue
		}
		if slices.Contains(secrets, name) || allButPublic && !slices.Contains(publics, name) && !harmless(name) {
			values = append(values, spellings(value)...)
		}
	}
	// Longer ones first, so that no part of a secret is left beside a masked shorter one.
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	values = slices.Compact(values)
	pairs := make([]string, 0, 2*len(values))
	for _, v := range values {
		pairs = append(pairs, v, masked)
	}
	return masker{strings.NewReplacer(pairs...)}
}

// harmless are variables of images and of Kubernetes, whose values are in every text.
func harmless(name string) bool {
	return slices.Contains([]string{"PATH", "HOME", "HOSTNAME", "PWD", "SHLVL", "TERM", "LANG", "TMPDIR", "GOPATH", "GOVERSION"}, name) ||
		strings.HasPrefix(name, "KUBERNETES_")
}

// spellings are the ways in which a secret shows up: as it is, line by line, encoded.
func spellings(value string) []string {
	all := append([]string{value, strings.TrimSpace(value)}, strings.Split(value, "\n")...)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		all = append(all, encoding.EncodeToString([]byte(value)))
	}
	all = append(all, url.QueryEscape(value), url.PathEscape(value))
	if quoted, err := json.Marshal(value); err == nil {
		all = append(all, strings.Trim(string(quoted), `"`))
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(strings.TrimSpace(s)) < shortest })
}

func (m masker) text(s string) string { return m.replacer.Replace(s) }

// outcome masks every text of an outcome that comes from the suite.
func (m masker) outcome(o report.Outcome) report.Outcome {
	o.Message, o.Output = m.text(o.Message), m.text(o.Output)
	o.Failures = slices.Clone(o.Failures)
	for i := range o.Failures {
		c := &o.Failures[i]
		for _, s := range []*string{&c.Suite, &c.ClassName, &c.Name, &c.File, &c.Message} {
			*s = m.text(*s)
		}
	}
	o.Warnings = slices.Clone(o.Warnings)
	for i := range o.Warnings {
		o.Warnings[i] = m.text(o.Warnings[i])
	}
	return o
}
