package runner

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

func TestHeads(t *testing.T) {
	var heads []string
	for i := range 25 {
		heads = Heads(heads, fmt.Sprint(i))
	}
	if len(heads) != 20 || heads[0] != "24" || heads[19] != "5" {
		t.Errorf("the heads are %q", heads)
	}
	if got := Heads([]string{"3", "2", "1"}, "2"); !cmp.Equal(got, []string{"2", "3", "1"}) {
		t.Errorf("after a way back the heads are %q", got)
	}
}

func minute(m int) metav1.Time { return metav1.NewTime(time.Date(2026, 1, 2, 3, m, 0, 0, time.UTC)) }

// ended is a run of the suite api that ended at the minute.
func ended(name, commit string, m int, change func(*v1alpha1.TestRun)) v1alpha1.TestRun {
	at := minute(m)
	run := v1alpha1.TestRun{}
	run.Name = name
	run.Spec = v1alpha1.TestRunSpec{Environment: "staging", Branch: "main", Commit: commit, Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}
	run.Status = v1alpha1.TestRunStatus{
		State: v1alpha1.StateFailed, CompletionTime: &at,
		Plan:   []v1alpha1.PlannedSuite{{Suite: "web", Digest: "other"}, {Suite: "api", Digest: "digest-" + commit}},
		Suites: []v1alpha1.SuiteStatus{{Name: "web", State: v1alpha1.StateFailed}, {Name: "api", State: v1alpha1.StatePassed}},
	}
	if change != nil {
		change(&run)
	}
	return run
}

func TestPasses(t *testing.T) {
	heads := func(environment, branch string) []string {
		if environment == "staging" && branch == "main" {
			return []string{"c3", "c2", "c1"}
		}
		return nil
	}
	for name, test := range map[string]struct {
		runs []v1alpha1.TestRun
		want string
	}{
		"none":                                 {nil, ""},
		"of the newest head":                   {[]v1alpha1.TestRun{ended("old", "c1", 1, nil), ended("new", "c2", 2, nil)}, "new"},
		"even when an older head ended later":  {[]v1alpha1.TestRun{ended("new", "c3", 1, nil), ended("slow", "c1", 9, nil)}, "new"},
		"of one head, the later":               {[]v1alpha1.TestRun{ended("b", "c3", 5, nil), ended("a", "c3", 4, nil)}, "b"},
		"of a head that was not seen, by time": {[]v1alpha1.TestRun{ended("known", "c3", 1, nil), ended("unknown", "c9", 2, nil)}, "unknown"},
		"scheduled and asked for": {[]v1alpha1.TestRun{
			ended("scheduled", "c3", 1, func(r *v1alpha1.TestRun) { r.Spec.Cause.Type = v1alpha1.CauseSchedule }),
			ended("asked", "c3", 2, func(r *v1alpha1.TestRun) { r.Spec.Cause.Type = v1alpha1.CauseAPI })}, "asked"},
		"not of pull requests": {[]v1alpha1.TestRun{ended("pr", "c3", 1, func(r *v1alpha1.TestRun) { r.Spec.Cause.Type = v1alpha1.CausePullRequest })}, ""},
		"not of other branches": {[]v1alpha1.TestRun{ended("branch", "c3", 1, func(r *v1alpha1.TestRun) { r.Spec.Branch = "topic" }),
			ended("none", "c3", 1, func(r *v1alpha1.TestRun) { r.Spec.Branch = "" })}, ""},
		"not while the run goes on":                 {[]v1alpha1.TestRun{ended("running", "c3", 1, func(r *v1alpha1.TestRun) { r.Status.State = v1alpha1.StateRunning })}, ""},
		"of a cancelled run whose suite had passed": {[]v1alpha1.TestRun{ended("cancelled", "c2", 1, func(r *v1alpha1.TestRun) { r.Status.State = v1alpha1.StateCancelled })}, "cancelled"},
		"not of a suite that failed":                {[]v1alpha1.TestRun{ended("failed", "c3", 1, func(r *v1alpha1.TestRun) { r.Status.Suites[1].State = v1alpha1.StateErrored })}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Passes(test.runs, heads)
			pass := got[Place{"staging", "main", "api"}]
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("the passes are %+v", got)
			case test.want != "" && (len(got) != 1 || pass == nil || pass.Run != test.want || pass.Digest != "digest-"+pass.Commit):
				t.Errorf("the pass is %+v, want that of %s", pass, test.want)
			}
		})
	}
	attempted := ended("attempted", "c3", 9, func(r *v1alpha1.TestRun) {
		end := minute(3)
		r.Status.Suites[1].Attempts = []v1alpha1.Attempt{{Number: 1}, {Number: 2, CompletionTime: &end}}
	})
	if got := Passes([]v1alpha1.TestRun{attempted}, heads)[Place{"staging", "main", "api"}]; !got.Time.Equal(new(minute(3))) {
		t.Errorf("the time is %s, want that of the last attempt", got.Time)
	}
}

func TestLaterPassKeepsWhatStands(t *testing.T) {
	a := &v1alpha1.LastPass{Run: "a", Commit: "c1", Time: minute(1)}
	if LaterPass(a, nil, nil) != a || LaterPass(nil, a, nil) != a || LaterPass(nil, nil, nil) != nil || LaterPass(a, a.DeepCopy(), nil) != a {
		t.Error("one that is alone, or as late, does not stand")
	}
}

func TestSummarize(t *testing.T) {
	pass := func(commit, digest string) *v1alpha1.LastPass {
		return &v1alpha1.LastPass{Commit: commit, Digest: digest}
	}
	got := Summarize([]KnownSuite{
		{"head", "d", false, pass("c3", "d")},
		{"behind", "d", false, pass("c1", "d")},
		{"long-ago", "d", false, pass("c0", "d")},
		{"changed", "d", false, pass("c2", "e")},
		{"unknown-digest", "d", false, pass("c3", "")},
		{"never", "d", false, nil},
		{"suspended", "d", true, nil},
	}, []string{"c3", "c2", "c1"})
	want := &v1alpha1.PassSummary{
		AtHead: 2, Furthest: 3, Behind: v1alpha1.NameSuites([]string{"behind", "long-ago"}),
		Changed: v1alpha1.NameSuites([]string{"changed"}), Never: v1alpha1.NameSuites([]string{"never"}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
