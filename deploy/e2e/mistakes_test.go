//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EMistakes makes the mistakes that people make, and reads what they are told: in the run,
// in the comment and in the status of each suite. In the end it prints all of it as a table, for
// a person to judge; ASSAY_E2E_REPORT names a file for it.
//
// Each group is a pull request of its own, since a comment shows ten failures in full.
func TestE2EMistakes(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, "mistakes", func(env *v1alpha1.TestEnvironment) {
		env.Spec.Limits.StartTimeout = &metav1.Duration{Duration: 30 * time.Second}
	})
	const password = "hunter2-correct-horse-battery"
	newSecret(t, tenant, "login", map[string]string{secretKey: password})
	repo, _ := newRepository(t, "mistakes", map[string]string{"README.md": "A shop.\n"})
	groups := []group{cannotStart(tenant), badScripts(), badReports(), stopped()}
	var requests []request
	for _, g := range groups {
		requests = append(requests, g.open(t, tenant, repo))
	}
	broken := openBroken(t, tenant, repo)
	_, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
		r.Spec.Statuses = v1alpha1.StatusPerSuite
	})
	if err != nil {
		t.Fatal(err)
	}
	var table report
	for i, g := range groups {
		requests[i].expect(t, tenant, repo, g.suites, password, &table)
	}
	broken.expectBroken(t, tenant, repo, &table)
	table.print(t)
}

// request is a pull request with the head that it had first.
type request struct {
	commit string
	number int64
}

// open makes the pull request that adds the group.
func (g group) open(t *testing.T, tenant *world.Tenant, repo *world.Repository) request {
	t.Helper()
	suites := map[string]string{}
	for _, m := range g.suites {
		suites[m.name+".yaml"] = m.text
	}
	if len(g.plain) > 0 {
		plain := map[string][]byte{}
		for path, text := range g.plain {
			plain[path] = []byte(text)
		}
		if _, err := repo.PushPlain(deadline(t), g.name, plain); err != nil {
			t.Fatal(err)
		}
	}
	return openRequest(t, repo, g.name, with(catalog(tenant.Name, suites), g.files))
}

func openRequest(t *testing.T, repo *world.Repository, branch string, files map[string]string) request {
	t.Helper()
	r := request{commit: push(t, repo, branch, files)}
	var err error
	if r.number, err = repo.OpenPullRequest(deadline(t), branch, "Add "+branch); err != nil {
		t.Fatal(err)
	}
	return r
}

// told is all that the user of a suite is told.
type told struct {
	run, output, comment, status string
}

// expect waits for the run to end and to be told, and compares each suite with what has to be said.
func (r request) expect(
	t *testing.T, tenant *world.Tenant, repo *world.Repository, suites []mistake, secret string, table *report,
) {
	t.Helper()
	run, err := tenant.FinalRun(deadline(t), r.commit, v1alpha1.CausePullRequest)
	if err != nil {
		t.Error(err)
		return
	}
	comment, statuses := r.published(t, tenant, repo, suites)
	for _, m := range suites {
		s := suite(t, run, m.name)
		said := told{output: s.Output, comment: partOf(comment, m.name, tenant.Name), status: statuses[m.name]}
		said.run = s.Message
		for _, f := range s.Failures {
			said.run += "\n" + f.Name + ": " + f.Message
		}
		t.Run(m.name, func(t *testing.T) { m.expect(t, s, said) })
		table.add(m.name, s.State, s.Reason, said)
	}
	whole, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"run": string(whole), "comment": comment, "statuses": fmt.Sprint(statuses)} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s shows the Secret:\n%s", what, text)
		}
	}
}

// published waits for the last word on the pull request: the status of each suite, and the comment,
// which is written after the statuses.
func (r request) published(
	t *testing.T, tenant *world.Tenant, repo *world.Repository, suites []mistake,
) (comment string, statuses map[string]string) {
	t.Helper()
	statuses = map[string]string{}
	err := world.Until(deadline(t), "all suites are told as failures", func(context.Context) (bool, error) {
		newest, err := repo.Statuses(r.commit)
		for _, m := range suites {
			s := newest["assay/"+tenant.Name+"/"+m.name]
			if s.State != "failure" && s.State != "error" {
				return false, err
			}
			statuses[m.name] = s.Description
		}
		return true, err
	})
	if err != nil {
		t.Errorf("%v; told are %v", err, statuses)
	}
	err = world.Until(deadline(t), "the comment tells of the end of all suites", func(context.Context) (bool, error) {
		comment = readable(oneComment(t, repo, r.number, "Run what went wrong once more").Body)
		return !strings.Contains(comment, "🕓"), nil
	})
	if err != nil {
		t.Errorf("%v; it is\n%s", err, comment)
	}
	return comment, statuses
}

// readable gives Markdown as a reader sees it: without what makes it inert.
func readable(body string) string {
	return html.UnescapeString(strings.NewReplacer("\u200b", "", `\`, "").Replace(body))
}

// partOf gives what a comment says of one suite: its row of the table, and its failures.
func partOf(comment, name, environment string) string {
	var parts []string
	for _, line := range strings.Split(comment, "\n") {
		if strings.HasPrefix(line, "| "+name+" |") {
			parts = append(parts, line)
		}
	}
	for _, section := range strings.Split(comment, "<details>")[1:] {
		summary, content, _ := strings.Cut(section, "</summary>")
		_, title, _ := strings.Cut(strings.TrimPrefix(summary, "<summary>"), " ") // after the glyph
		if title == name+" on "+environment || strings.HasPrefix(title, name+" on "+environment+":") {
			content, _, _ = strings.Cut(content, "</details>")
			parts = append(parts, title+content)
		}
	}
	return strings.Join(parts, "\n")
}

// expect compares what a user is told with what has to be said.
func (m mistake) expect(t *testing.T, s v1alpha1.SuiteStatus, said told) {
	t.Helper()
	if s.State != m.state || s.Reason != string(m.reason) {
		t.Errorf("it is %s (%s), want %s (%s)", s.State, s.Reason, m.state, m.reason)
	}
	has := func(what, text string, wanted ...string) {
		t.Helper()
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("the %s does not say %q:\n%s", what, want, text)
			}
		}
	}
	has("run", said.run, append(append([]string{m.headline}, m.cause...), m.remedy...)...)
	has("comment", said.comment, append(append([]string{m.headline}, m.cause...), m.remedy...)...)
	has("status", said.status, m.cause...)
	has("run's output", said.output, m.output)
	has("comment", said.comment, m.output)
	if !strings.HasPrefix(said.status, m.headline) || !strings.HasPrefix(said.run, m.headline) {
		t.Errorf("%q does not come first: the run says %q and the status %q", m.headline, said.run, said.status)
	}
	if first, _, _ := strings.Cut(said.comment, "\n"); !strings.Contains(first, m.headline) {
		t.Errorf("the comment's table does not say %q: %s", m.headline, first)
	}
	for _, never := range m.never {
		if all := fmt.Sprintf("%+v", said); strings.Contains(all, never) {
			t.Errorf("it says %q:\n%s", never, all)
		}
	}
}

// openBroken makes a pull request whose YAML is none.
func openBroken(t *testing.T, tenant *world.Tenant, repo *world.Repository) request {
	t.Helper()
	indented := strings.Replace(shell("unit", "true"), "  image:", "    image:", 1) // line 6
	return openRequest(t, repo, "syntax", catalog(tenant.Name, map[string]string{"unit.yaml": indented}))
}

// expectBroken waits for the pull request to be told where its YAML is broken.
func (r request) expectBroken(t *testing.T, tenant *world.Tenant, repo *world.Repository, table *report) {
	t.Helper()
	run, err := tenant.FinalRun(deadline(t), r.commit, v1alpha1.CausePullRequest)
	if err != nil {
		t.Error(err)
		return
	}
	if !isErrored(run, fault.InvalidCatalog, "tests/unit.yaml:6: broken YAML") {
		t.Errorf("the run stands at %+v", run.Status)
	}
	expectStatus(t, repo, r.commit, tenant.Name, "error", "tests/unit.yaml:6: broken YAML")
	statuses, err := repo.Statuses(r.commit)
	if err != nil {
		t.Fatal(err)
	}
	comment := readable(oneComment(t, repo, r.number, "could not be run").Body)
	for _, want := range []string{"tests/unit.yaml:6: broken YAML", "check the indentation"} {
		if !strings.Contains(comment, want) || !strings.Contains(run.Status.Message, want) {
			t.Errorf("run or comment do not say %q: %s\n%s", want, run.Status.Message, comment)
		}
	}
	said := told{run.Status.Message, "", comment, statuses["assay/"+tenant.Name].Description}
	table.add("syntax", run.Status.State, string(fault.InvalidCatalog), said)
}

// report is a table for people.
type report struct{ strings.Builder }

func (r *report) add(name string, state v1alpha1.RunState, reason string, said told) {
	fmt.Fprintf(r, "%s: %s %s\n", name, state, reason)
	line := func(what, text string) {
		fmt.Fprintf(r, "    %-8s %s\n", what, strings.Join(strings.Fields(text), " "))
	}
	line("run", said.run)
	line("output", said.output)
	line("status", said.status)
	line("comment", said.comment)
}

// print shows the table, and keeps it where it is wanted.
func (r *report) print(t *testing.T) {
	t.Helper()
	t.Log("what users are told:\n" + r.String())
	if file := os.Getenv("ASSAY_E2E_REPORT"); file != "" {
		if err := os.WriteFile(file, []byte(r.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}
