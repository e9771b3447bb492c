package status

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
)

// FuzzNothingGetsOut puts hostile text into every field that can hold it and reads the
// comment as a forge would: fences, tags, mentions, links.
func FuzzNothingGetsOut(f *testing.F) {
	for _, seed := range []string{
		"plain", "@everyone", "#1 !2 GH-3 a/b#4 $5 ~label %milestone", "<b>x</b><!-- assay:comment:v1 team/other -->", "</details></summary>",
		"[x](https://evil.example) www.evil.example mailto:a@b.example", "```\n</details>\n````", "| a | b |\n|---|---|", "\x1b[31mred\x1b[0m\x1b]8;;https://e\x07",
		"\u202e\u200d\u2066x\u0000\xff", `\`, `\\|`, "`", "a\r\nb", "&lt;script&gt; &#64;", "**x** __y__ ~~z~~ $$a$$", "\u2028# heading", "<!-", "--><img>",
		strings.Repeat("`", 5000), strings.Repeat("x", 3000), "hTTps://x WWW.x gh-1", "<!\u200b--", "\t- [ ] task", "<\x1b[0m!--",
	} {
		f.Add(seed, "other")
		f.Add("other", seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, limit := range []int{0, 3000} {
			s := Compose(hostileInput(a, b, limit))
			for _, status := range s.Statuses {
				if n := utf8.RuneCountInString(status.Description); n > 140 || strings.ContainsFunc(status.Description, unicode.IsControl) || status.Description != strings.TrimSpace(status.Description) {
					t.Errorf("description is not one short line: %q", status.Description)
				}
			}
			if limit > 0 && len(s.Comment) > limit {
				t.Errorf("%d bytes, the limit is %d", len(s.Comment), limit)
			}
			if !strings.HasPrefix(s.Comment, s.Marker+"\n") {
				t.Fatalf("the comment does not begin with its marker: %.200q", s.Comment)
			}
			inert(t, strings.TrimPrefix(s.Comment, s.Marker))
		}
	})
}

var (
	fence = regexp.MustCompile("^(`{3,})(text|diff)?$")
	tags  = regexp.MustCompile(`</?(details|details open|summary)>`)
	// what may not be found in rendered text; each is broken by a zero-width space.
	live = regexp.MustCompile(`(?i)[@#!$~^%][a-z0-9_]|://|www\.|gh-[0-9]|mailto:|<!--`)
)

// inert reads a comment line by line as Markdown with fences and details is read.
func inert(t *testing.T, comment string) {
	t.Helper()
	open, details := "", 0
	for _, line := range strings.Split(comment, "\n") {
		if m := fence.FindStringSubmatch(line); m != nil && (open == "" && m[2] != "" || m[1] == open && m[2] == "") {
			if open == "" {
				open = m[1]
			} else {
				open = ""
			}
			continue
		}
		if open != "" {
			if trimmed := strings.TrimLeft(line, " "); strings.HasPrefix(trimmed, open) {
				t.Errorf("a line in a fence of %d could close it: %.100q", len(open), line)
			}
			if strings.Contains(line, "<!--") {
				t.Errorf("a marker could hide in %.100q", line)
			}
			continue
		}
		details += strings.Count(line, "<details") - strings.Count(line, "</details>")
		rest := tags.ReplaceAllString(line, "")
		rest = strings.ReplaceAll(rest, "[staging](<https://assay.example/team/run>)", "")
		if strings.ContainsAny(rest, "<>") {
			t.Errorf("a tag in %.200q", line)
		}
		if m := live.FindString(strings.ReplaceAll(rest, "&#", "&")); m != "" {
			t.Errorf("%q is alive in %.200q", m, line)
		}
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| Suite") && strings.Count(line, "|") != 3 {
			t.Errorf("a row has %d bars: %.200q", strings.Count(line, "|"), line)
		}
		if !strings.HasPrefix(line, "<details") && unescaped(strings.ReplaceAll(rest, "**", "")) {
			t.Errorf("markup without a backslash in %.200q", line)
		}
	}
	if open != "" || details != 0 {
		t.Errorf("fence %q and %d details are left open:\n%s", open, details, comment)
	}
}

// unescaped says whether a character of inline markup has no backslash.
func unescaped(line string) bool {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '`', '*', '_', '[', ']', '~':
			return true
		}
	}
	return false
}

func hostileInput(a, b string, limit int) ComposeInput {
	commit := strings.Repeat("a", 40)
	run := v1alpha1.TestRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "run"},
		Spec: v1alpha1.TestRunSpec{RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: "staging", Commit: commit,
			Cause: v1alpha1.Cause{Type: v1alpha1.CausePullRequest, PullRequest: &v1alpha1.PullRequestRef{Number: 7, URL: a}, By: b}},
		Status: v1alpha1.TestRunStatus{
			State: v1alpha1.StateFailed, Message: a,
			Plan: []v1alpha1.PlannedSuite{
				{Suite: "api" + a, Run: true, Reasons: []string{a, b}, Owners: []string{b, a}, File: a},
				{Suite: b, Run: true, Gate: v1alpha1.Gate(a), Reasons: []string{b}},
				{Suite: "hang" + b, Run: true, Reasons: []string{a}},
				{Suite: "left" + a, Reasons: []string{b + a}},
			},
			Suites: []v1alpha1.SuiteStatus{
				{Name: "api" + a, State: v1alpha1.StateFailed, Failures: []v1alpha1.CaseFailure{{Name: a, Message: b, File: a, Line: 3}, {Name: b, Message: a, File: b}}},
				{Name: b, State: v1alpha1.StateErrored, Reason: a, Message: b, Output: a + b},
				{Name: "hang" + b, State: v1alpha1.StateFailed, Reason: string(fault.TimedOut), Message: a,
					Output: b + "\n" + strings.Repeat(a, 20)},
			},
			CatalogDiff: &v1alpha1.CatalogDifference{
				Added: []string{a, b}, Removed: []string{b},
				Changed: []v1alpha1.SuiteDifference{{Suite: a, More: 1, Fields: []v1alpha1.FieldDifference{{Path: a, Before: b}, {Path: b, Before: a, After: b}}}},
			},
		},
	}
	broken := *run.DeepCopy()
	broken.Status = v1alpha1.TestRunStatus{State: v1alpha1.StateErrored, Message: a + b}
	runs := []v1alpha1.TestRun{run}
	if len(a)%2 == 1 {
		runs = []v1alpha1.TestRun{broken}
	}
	return ComposeInput{
		Repository: &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"}, Spec: v1alpha1.TestRepositorySpec{Statuses: v1alpha1.StatusPerSuite}},
		Commit:     commit, PullRequest: 7, Runs: runs, Limits: providers.Limits{Comment: limit}, RunsURL: "https://assay.example",
	}
}
