package runner

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// maxHeads is how many heads of a branch are remembered.
const maxHeads = 20

// Heads gives the heads of a branch that were seen, the newest first, now that it is at
// commit. One that the branch returns to is the newest again.
func Heads(seen []string, commit string) []string {
	heads := []string{commit}
	for _, h := range seen {
		if h != commit && len(heads) < maxHeads {
			heads = append(heads, h)
		}
	}
	return heads
}

// Place is where a suite runs.
type Place struct{ Environment, Branch, Suite string }

// Passes gives where each suite last passed for a watched branch of the repository: in runs
// that are final, of a cause that proves its branch. heads gives the heads of a branch that were
// seen, the newest first.
func Passes(runs []v1alpha1.TestRun, heads func(environment, branch string) []string) map[Place]*v1alpha1.LastPass {
	passes := map[Place]*v1alpha1.LastPass{}
	from := map[*v1alpha1.LastPass]*v1alpha1.TestRun{}
	for i := range runs {
		run := &runs[i]
		if !verifies(run) {
			continue
		}
		seen := heads(run.Spec.Environment, run.Spec.Branch)
		if len(seen) == 0 {
			continue
		}
		for j := range run.Status.Suites {
			suite := &run.Status.Suites[j]
			if suite.State != v1alpha1.StatePassed {
				continue
			}
			at, pass := Place{run.Spec.Environment, run.Spec.Branch, suite.Name}, passOf(run, suite)
			if passes[at] = LaterPass(passes[at], pass, seen); passes[at] == pass {
				from[pass] = run
			}
		}
	}
	for at, pass := range passes {
		for _, planned := range from[pass].Status.Plan {
			if planned.Suite == at.Suite {
				pass.Digest = planned.Digest
			}
		}
	}
	return passes
}

// verifies says whether the run says something about its branch: those of pull requests are
// about what may never be merged.
func verifies(run *v1alpha1.TestRun) bool {
	return run.Status.State.Final() && run.Spec.Branch != "" && run.Spec.Cause.Type.Rules().ProvesBranch
}

func passOf(run *v1alpha1.TestRun, suite *v1alpha1.SuiteStatus) *v1alpha1.LastPass {
	pass := &v1alpha1.LastPass{Run: run.Name, Commit: run.Spec.Commit, Time: run.CreationTimestamp}
	var end *metav1.Time
	if n := len(suite.Attempts); n > 0 {
		end = suite.Attempts[n-1].CompletionTime
	}
	if end == nil {
		end = run.Status.CompletionTime
	}
	if end != nil {
		pass.Time = *end
	}
	return pass
}

// LaterPass gives the pass at the later of two heads; the later in time where that is not
// known, or the same. Either may be nil; a stands where neither is later.
func LaterPass(a, b *v1alpha1.LastPass, heads []string) *v1alpha1.LastPass {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	i, j := slices.Index(heads, a.Commit), slices.Index(heads, b.Commit)
	if i >= 0 && j >= 0 && i != j {
		if i < j {
			return a
		}
		return b
	}
	if b.Time.After(a.Time.Time) {
		return b
	}
	return a
}

// Behind says how many heads the branch has had since the pass: 0 at the head, and as many as
// are known when it was before all of them.
func Behind(pass *v1alpha1.LastPass, heads []string) int32 {
	if i := slices.Index(heads, pass.Commit); i >= 0 {
		return int32(i)
	}
	return int32(len(heads))
}

// KnownSuite is a suite of a catalog, and where it last passed.
type KnownSuite struct {
	Name, Digest string
	// Suspended suites are not expected to pass.
	Suspended  bool
	LastPassed *v1alpha1.LastPass
}

// Summarize says what is known to pass of a catalog. heads are those of its branch that were
// seen, the newest first.
func Summarize(suites []KnownSuite, heads []string) *v1alpha1.PassSummary {
	var summary v1alpha1.PassSummary
	var behind, changed, never []string
	for _, s := range suites {
		if s.Suspended {
			continue
		}
		if s.LastPassed == nil {
			never = append(never, s.Name)
			continue
		}
		switch since := Behind(s.LastPassed, heads); {
		case s.LastPassed.Digest != "" && s.LastPassed.Digest != s.Digest:
			changed = append(changed, s.Name)
		case since == 0:
			summary.AtHead++
		default:
			behind = append(behind, s.Name)
			summary.Furthest = max(summary.Furthest, since)
		}
	}
	summary.Behind, summary.Changed, summary.Never = v1alpha1.NameSuites(behind), v1alpha1.NameSuites(changed), v1alpha1.NameSuites(never)
	return &summary
}
