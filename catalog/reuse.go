package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// PastResult is how a suite ended in an earlier run of the same repository and environment,
// and with what. It tells of pods that ran: a pass that was itself reused is none.
type PastResult struct {
	Suite string
	// Digest, ContentDigest and EnvironmentDigest are those of the plan's entry then. Where one
	// is missing that the suite has now, nothing is proved.
	Digest, ContentDigest, EnvironmentDigest string
	// Run is the name of the TestRun, Commit what it tested, Ended when it ended.
	Run, Commit string
	Ended       time.Time
	// Clean says that every test passed at the first try. A result that is not clean is that
	// of a suite which failed, or which was flaky; one that could not be found out is none.
	Clean bool
	// Cases that were counted, if any.
	Cases *v1alpha1.CaseCounts
}

// Unproved gives the hermetic suites of a plan for which it depends on their content whether
// an earlier pass is reused: Plan was asked without their [PlanInput.Contents], and there is a
// result with the same definition and environment.
func Unproved(in PlanInput, plan []v1alpha1.PlannedSuite) []Suite {
	past := newPast(in.Past)
	var suites []Suite
	for _, entry := range plan {
		suite, ok := in.Head.Suite(entry.Suite)
		if _, known := in.Contents[entry.Suite]; ok && !known && in.reusable(suite, entry) && len(past.like(entry)) > 0 {
			suites = append(suites, suite)
		}
	}
	return suites
}

// reusable says whether the suite's promise counts for this run.
func (in *PlanInput) reusable(suite Suite, entry v1alpha1.PlannedSuite) bool {
	return entry.Run && entry.Violation == "" && suite.Spec.Hermetic && in.Environment != nil &&
		in.Cause.Type.Rules().Reuses && len(in.Requested) == 0
}

// reuse looks for the pass that stands for running the suite again.
func (in *PlanInput) reuse(past past, suite Suite, entry *v1alpha1.PlannedSuite) {
	if !in.reusable(suite, *entry) {
		return
	}
	if readsCluster(suite, in.Environment) {
		entry.Reasons = append(entry.Reasons, "hermetic, but its variables come from Secrets or ConfigMaps, which may have changed")
		return
	}
	entry.EnvironmentDigest = EnvironmentDigest(suite, in.Environment, in.TestsPath)
	content, known := in.Contents[suite.Name]
	if !known || content == "" && len(suite.Spec.Command) > 0 {
		return
	}
	entry.ContentDigest = content
	// The newest first: a doubt outweighs every pass, whichever came later.
	var pass *PastResult
	for _, p := range past.like(*entry) {
		if p.ContentDigest != content {
			continue
		}
		if !p.Clean {
			entry.Reasons = append(entry.Reasons, fmt.Sprintf("hermetic, but with the same definition and content it failed or was flaky in run %s", p.Run))
			return
		}
		if pass == nil {
			pass = &p
		}
	}
	if pass == nil {
		return
	}
	entry.Reused = &v1alpha1.ReusedPass{Run: pass.Run, Commit: pass.Commit, Cases: pass.Cases.DeepCopy()}
	entry.Reasons = append([]string{PassedEarlier(*entry.Reused)}, entry.Reasons...)
}

// past holds earlier results by suite, the newest first.
type past map[string][]PastResult

func newPast(results []PastResult) past {
	p := past{}
	for _, r := range results {
		p[r.Suite] = append(p[r.Suite], r)
	}
	for _, of := range p {
		slices.SortFunc(of, func(a, b PastResult) int {
			return cmp.Or(b.Ended.Compare(a.Ended), strings.Compare(b.Run, a.Run))
		})
	}
	return p
}

// like gives the results with the definition and environment of the entry, whose environment
// must be known. A failure whose definition is not known any more, as its run had no room for it,
// may have been of this one.
func (p past) like(entry v1alpha1.PlannedSuite) []PastResult {
	if entry.EnvironmentDigest == "" {
		return nil
	}
	var same []PastResult
	for _, r := range p[entry.Suite] {
		forgotten := r.Digest == "" && !r.Clean
		if (r.Digest == entry.Digest || forgotten) && r.EnvironmentDigest == entry.EnvironmentDigest {
			same = append(same, r)
		}
	}
	return same
}

// PassedEarlier says in a line where a reused pass comes from.
func PassedEarlier(r v1alpha1.ReusedPass) string {
	return fmt.Sprintf("passed in run %s at commit %s with the same definition and content", r.Run, r.Commit[:min(len(r.Commit), 7)])
}

// shaped is what an environment adds to a pod.
type shaped struct {
	Namespace          string                      `json:"namespace"`
	ServiceAccountName string                      `json:"serviceAccountName"`
	Env                []corev1.EnvVar             `json:"env"`
	DefaultResources   corev1.ResourceRequirements `json:"defaultResources"`
	Bounds             corev1.ResourceList         `json:"bounds,omitempty"`
	Timeout            time.Duration               `json:"timeout"`
	TestsPath          string                      `json:"testsPath"`
}

// EnvironmentDigest is "sha256:" and the hash of what the environment adds to a pod of the
// suite: with the digests of the suite and of its content it says all that Assay puts into a
// pod. testsPath is the folder of the tests (empty: tests), the default of working folders.
func EnvironmentDigest(suite Suite, environment *v1alpha1.TestEnvironment, testsPath string) string {
	setDefault(&testsPath, "tests")
	spec := environment.Spec
	s := shaped{
		Namespace: spec.Namespace, ServiceAccountName: spec.ServiceAccountName, Env: spec.Env,
		DefaultResources: spec.DefaultResources, Bounds: spec.Limits.Resources, TestsPath: testsPath,
	}
	if t := WithDefaultsOf(suite, environment).Spec.Timeout; t != nil {
		s.Timeout = t.Duration
	}
	data, err := json.Marshal(s)
	if err != nil {
		return "" // which proves nothing; but all of it is made of what JSON can say
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// readsCluster says whether variables of the pod come from objects whose values nobody here
// knows, so that no digest can tell when they change.
func readsCluster(suite Suite, environment *v1alpha1.TestEnvironment) bool {
	return len(suite.Spec.EnvFrom) > 0 || slices.ContainsFunc(slices.Concat(environment.Spec.Env, suite.Spec.Env), func(e corev1.EnvVar) bool {
		return e.ValueFrom != nil && (e.ValueFrom.SecretKeyRef != nil || e.ValueFrom.ConfigMapKeyRef != nil)
	})
}
