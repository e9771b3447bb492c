package testrepository

import (
	"errors"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

func limited(after time.Duration) error {
	f := fault.New(fault.RateLimited, fault.Place{}, "", "the host asks to come back later")
	f.After = after
	return f
}

func TestConditionsSayWhatComesNext(t *testing.T) {
	failed := fault.New(fault.HostFailed, fault.Place{}, "", "the host failed")
	refused := fault.New(fault.AuthenticationFailed, fault.Place{}, "", "the host refuses")
	invalid := fault.New(fault.InvalidSpec, fault.Place{}, "", "the URL names no host")
	const backoff = "tried again with a back-off that grows up to 15 min"
	type end struct{ Ready, Reconciling, Stalled string }
	repo := &v1alpha1.TestRepository{Spec: v1alpha1.TestRepositorySpec{URL: "https://git.example/shop"}}
	for _, step := range []struct {
		name string
		err  error
		want end
	}{
		{"fine", nil, end{"True Succeeded", "", ""}},
		{"a host that fails", failed, end{"False HostFailed", backoff, ""}},
		{"a bug of ours", errors.New("nil pointer"), end{"False InternalError", backoff, ""}},
		{"a busy host", limited(time.Minute), end{"False RateLimited", "tried again when the host said it may be asked, and not before the interval", ""}},
		{"a wrong credential", refused, end{"False AuthenticationFailed", "", ""}},
		{"a wrong URL", invalid, end{"False InvalidSpec", "", "the URL names no host"}},
		{"a host that fails again", failed, end{"False HostFailed", backoff, ""}},
		{"fine again", nil, end{"True Succeeded", "", ""}},
	} {
		t.Run(step.name, func(t *testing.T) {
			setConditions(repo, step.err)
			ready := conditions.Get(repo, v1alpha1.ReadyCondition)
			got := end{string(ready.Status) + " " + ready.Reason, conditions.GetMessage(repo, v1alpha1.ReconcilingCondition), conditions.GetMessage(repo, v1alpha1.StalledCondition)}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Error(diff)
			}
			// The same end, later, is no news.
			for i := range repo.Status.Conditions {
				repo.Status.Conditions[i].LastTransitionTime = metav1.NewTime(time.Unix(1e9, 0))
			}
			before := repo.DeepCopy()
			setConditions(repo, step.err)
			if diff := cmp.Diff(before.Status, repo.Status); diff != "" {
				t.Errorf("the second time: %s", diff)
			}
		})
	}
}

func TestNextPoll(t *testing.T) {
	const interval = 10 * time.Minute
	repo := &v1alpha1.TestRepository{Spec: v1alpha1.TestRepositorySpec{Interval: metav1.Duration{Duration: interval}}}
	for name, tc := range map[string]struct {
		err            error
		earliest, last time.Duration
	}{
		"a Secret that is missing": {fault.New(fault.SecretInvalid, fault.Place{}, "", "no"), time.Minute * 9 / 10, time.Minute * 11 / 10},
		"fine":                     {nil, interval * 9 / 10, interval * 11 / 10},
		"the user's fault":         {fault.New(fault.AuthenticationFailed, fault.Place{}, "", "no"), interval * 9 / 10, interval * 11 / 10},
		"busy for a moment":        {limited(time.Second), interval, interval + time.Second},
		"busy for long, and apart": {limited(time.Hour), time.Hour, time.Hour + interval},
		"no place on the host":     {fault.New(fault.HostBusy, fault.Place{}, "", "enough is waiting"), 0, interval},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[time.Duration]bool{}
			for range 20 {
				result, err := next(repo, tc.err)
				if err != nil || result.RequeueAfter < tc.earliest || result.RequeueAfter > tc.last {
					t.Errorf("again after %s, %v", result.RequeueAfter, err)
				}
				seen[result.RequeueAfter] = true
			}
			if tc.last == time.Hour+interval && len(seen) < 10 {
				t.Error("all come back at once")
			}
		})
	}
	failed := fault.New(fault.HostFailed, fault.Place{}, "", "broken")
	if result, err := next(repo, failed); !errors.Is(err, failed) || result.RequeueAfter != 0 {
		t.Errorf("got %v, %v, want the queue to back off", result, err)
	}
}
