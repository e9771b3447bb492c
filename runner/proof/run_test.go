package proof_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/proof"
)

// madeRun is a run that the controller made, as it comes back from the API server.
func madeRun(t *testing.T, cause v1alpha1.CauseType) *v1alpha1.TestRun {
	t.Helper()
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 0, 0, time.FixedZone("", 3600)))
	run := &v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop-staging-1"}, Spec: v1alpha1.TestRunSpec{
		RepositoryRef: v1alpha1.LocalReference{Name: "shop"}, Environment: "staging", Commit: "1", Base: "0", Branch: "main",
		Cause: v1alpha1.Cause{Type: cause, ScheduledTime: &at}, Suites: []string{"api"},
	}}
	key.SignRun(run)
	data, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	back := &v1alpha1.TestRun{}
	if err := json.Unmarshal(data, back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestIsRun(t *testing.T) {
	for _, cause := range []v1alpha1.CauseType{v1alpha1.CausePush, v1alpha1.CausePullRequest, v1alpha1.CauseSchedule} {
		if !key.IsRun(madeRun(t, cause)) {
			t.Errorf("the controller's own run of %s is not known", cause)
		}
		cancelled := madeRun(t, cause)
		cancelled.Spec.Cancel, cancelled.Labels = true, map[string]string{"team": "payments"}
		if !key.IsRun(cancelled) {
			t.Errorf("a run of %s that somebody cancelled is not known", cause)
		}
		for name, change := range map[string]func(*v1alpha1.TestRun){
			"no proof":          func(r *v1alpha1.TestRun) { delete(r.Annotations, v1alpha1.ProofAnnotation) },
			"another name":      func(r *v1alpha1.TestRun) { r.Name += "x" },
			"another namespace": func(r *v1alpha1.TestRun) { r.Namespace += "x" },
			"another commit":    func(r *v1alpha1.TestRun) { r.Spec.Commit = "2" },
			"chosen suites":     func(r *v1alpha1.TestRun) { r.Spec.Suites = []string{"trivial"} },
			"no suites":         func(r *v1alpha1.TestRun) { r.Spec.Suites = nil },
			"another base":      func(r *v1alpha1.TestRun) { r.Spec.Base = "1" },
			"another pull request": func(r *v1alpha1.TestRun) {
				r.Spec.Cause.PullRequest = &v1alpha1.PullRequestRef{Number: 2}
			},
			"another's key": func(r *v1alpha1.TestRun) { proof.Must(bytes.Repeat([]byte{2}, proof.KeyBytes)).SignRun(r) },
		} {
			run := madeRun(t, cause)
			change(run)
			if key.IsRun(run) {
				t.Errorf("%s: a run of %s is taken for the controller's", name, cause)
			}
		}
	}
	if run := madeRun(t, v1alpha1.CauseAPI); !key.IsRun(&v1alpha1.TestRun{Spec: run.Spec}) {
		t.Error("a run that anybody may ask for needs a proof")
	}
}

// TestRunsOlderThanTheKey: nobody could prove them.
func TestRunsOlderThanTheKey(t *testing.T) {
	young := proof.Must(bytes.Repeat([]byte{1}, proof.KeyBytes))
	young.Since = time.Unix(1000, 0)
	for seconds, want := range map[int64]bool{999: true, 1000: false, 1001: false} {
		run := &v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Unix(seconds, 0)}}
		run.Spec.Cause.Type = v1alpha1.CausePush
		if got := young.IsRun(run); got != want {
			t.Errorf("created at %d: %v", seconds, got)
		}
	}
	if young.IsRun(&v1alpha1.TestRun{Spec: v1alpha1.TestRunSpec{Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}}) {
		t.Error("a run without a time is taken for an old one")
	}
}
