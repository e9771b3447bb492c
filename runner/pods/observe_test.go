package pods_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/pods"
	"github.com/assay-dev/assay/runner/report"
)

var (
	created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	started = created.Add(10 * time.Second)
	over    = created.Add(time.Minute)
)

// TestObserve: statuses are written as kubectl shows them, so that one can be pasted here.
func TestObserve(t *testing.T) {
	const scheduled = `conditions: [{type: PodScheduled, status: "True", lastTransitionTime: "2026-01-02T03:04:06Z"}]`
	terminated := func(code, more string) string {
		return `containerStatuses: [{name: test, state: {terminated: {exitCode: ` + code + `, startedAt: "2026-01-02T03:04:15Z", finishedAt: "2026-01-02T03:05:05Z"` + more + `}}}]`
	}
	ended := func(code int32, change func(*runner.ObservedAttempt)) runner.ObservedAttempt {
		o := runner.ObservedAttempt{Phase: runner.PhaseEnded, ExitCode: &code, Started: started, Ended: over}
		if change != nil {
			change(&o)
		}
		return o
	}
	because := func(reason fault.Reason, message string) func(*runner.ObservedAttempt) {
		return func(o *runner.ObservedAttempt) { o.Reason, o.Message = reason, message }
	}
	for _, c := range []struct {
		name   string
		status string
		want   runner.ObservedAttempt
	}{
		{"just created", "phase: Pending", runner.ObservedAttempt{Phase: runner.PhasePending}},
		{"no node has room", `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes are available:\n insufficient cpu"}]}`,
			runner.ObservedAttempt{Phase: runner.PhasePending, Waiting: "Unschedulable", Message: "0/1 nodes are available: insufficient cpu"}},
		{"on a node", "{phase: Pending, " + scheduled + ", containerStatuses: [{name: test, state: {waiting: {reason: ContainerCreating}}}]}",
			runner.ObservedAttempt{Phase: runner.PhasePending, Scheduled: created.Add(time.Second)}},
		{"its image is not there", "{phase: Pending, " + scheduled + `, containerStatuses: [{name: test, state: {waiting: {reason: ErrImagePull, message: "not found"}}}]}`,
			runner.ObservedAttempt{Phase: runner.PhasePending, Scheduled: created.Add(time.Second), Waiting: "ErrImagePull", Message: "not found"}},
		{"the image of assay-exec is not there", "{phase: Pending, " + scheduled + `, initContainerStatuses: [{name: assay-exec, state: {waiting: {reason: ErrImagePull, message: "not found"}}}], containerStatuses: [{name: test, state: {waiting: {reason: PodInitializing}}}]}`,
			runner.ObservedAttempt{Phase: runner.PhasePending, Scheduled: created.Add(time.Second), Waiting: "Init:ErrImagePull", Message: "not found"}},
		{"running", `{phase: Running, containerStatuses: [{name: test, state: {running: {startedAt: "2026-01-02T03:04:15Z"}}}]}`,
			runner.ObservedAttempt{Phase: runner.PhaseRunning, Started: started}},
		{"its container ended and the phase lags", "{phase: Running, " + terminated("0", "") + "}",
			runner.ObservedAttempt{Phase: runner.PhaseRunning, Started: started, Ended: over}},
		{"succeeded", "{phase: Succeeded, " + terminated("0", ", reason: Completed") + "}", ended(0, nil)},
		{"failed", "{phase: Failed, " + terminated("3", ", reason: Error") + "}", ended(3, nil)},
		{"over its deadline", "{phase: Failed, reason: DeadlineExceeded, message: too long, " + terminated("143", ", reason: Error") + "}", ended(143, because(fault.TimedOut, "too long"))},
		{"evicted by its node", "{phase: Failed, reason: Evicted, message: low on memory, " + terminated("137", "") + "}", ended(137, because(fault.Evicted, "the node ended the pod: Evicted: low on memory"))},
		{"never admitted by its node", "{phase: Failed, reason: OutOfcpu, message: no cpu left}",
			runner.ObservedAttempt{Phase: runner.PhaseEnded, Reason: fault.Evicted, Message: "the node ended the pod: OutOfcpu: no cpu left"}},
		{"preempted", `{phase: Failed, conditions: [{type: DisruptionTarget, status: "True", reason: PreemptionByScheduler, message: make room}], ` + terminated("143", "") + "}",
			ended(143, because(fault.Evicted, "the cluster took the pod away: PreemptionByScheduler: make room"))},
		{"succeeded although it was to be evicted", `{phase: Succeeded, conditions: [{type: DisruptionTarget, status: "True", reason: EvictionByEvictionAPI}], ` + terminated("0", "") + "}", ended(0, nil)},
		{"its node is lost", "{phase: Failed, reason: NodeLost, message: no heartbeat}",
			runner.ObservedAttempt{Phase: runner.PhaseEnded, Reason: fault.PodLost, Message: "the node is lost: no heartbeat"}},
		{"the node does not know any more", "{phase: Failed, " + terminated("137", ", reason: ContainerStatusUnknown") + "}",
			runner.ObservedAttempt{Phase: runner.PhaseEnded, Started: started, Ended: over, Reason: fault.PodLost, Message: "the node lost the container"}},
		{"out of memory", "{phase: Failed, " + terminated("137", ", reason: OOMKilled") + "}", ended(137, because(fault.LimitExceeded, "killed: out of memory (limit 2Gi; raise spec.resources.limits.memory)"))},
		{"a child was out of memory and it did not matter", "{phase: Succeeded, " + terminated("0", ", reason: OOMKilled") + "}", ended(0, nil)},
		{"assay-exec could not be started", "{phase: Failed, " + terminated("128", ", reason: StartError, message: exec format error") + "}",
			ended(128, because(fault.ContentFailed, "the container could not be started: exec format error"))},
		{"assay-exec could not be copied", `{phase: Failed, initContainerStatuses: [{name: assay-exec, state: {terminated: {exitCode: 1, message: no space left}}}]}`,
			runner.ObservedAttempt{Phase: runner.PhaseEnded, Reason: fault.ContentFailed, Message: "assay-exec could not be copied: exit code 1: no space left"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := attempt(func(a *runner.Attempt) { a.Suite.Spec.Hermetic = true })
			pod := pods.Build(made, options)
			pod.CreationTimestamp = metav1.NewTime(created)
			if err := yaml.UnmarshalStrict([]byte(c.status), &pod.Status); err != nil {
				t.Fatal(err)
			}
			got, ok := pods.Observe(pod, key)
			if !ok {
				t.Fatal("it is no attempt")
			}
			c.want.AttemptID, c.want.Pod, c.want.Created = runner.AttemptOf("checkout-load", 1), pod.Name, created
			c.want.Wrapped, c.want.Timeout = runner.Wrapped(made.Suite), runner.Timeout(made.Suite)
			c.want.ContentDigest, c.want.EnvironmentDigest = made.ContentDigest, made.EnvironmentDigest()
			if diff := cmp.Diff(c.want, utc(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func utc(o runner.ObservedAttempt) runner.ObservedAttempt {
	for _, at := range []*time.Time{&o.Created, &o.Scheduled, &o.Started, &o.Ended, &o.StopBy} {
		if !at.IsZero() {
			*at = at.UTC()
		}
	}
	return o
}

func TestObserveAnUnwrappedEntryPointThatIsNotThere(t *testing.T) {
	pod := pods.Build(attempt(func(a *runner.Attempt) { a.Suite.Spec.Command = nil }), options)
	pod.Status.Phase = corev1.PodFailed
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "test", State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: string(report.Outcome{}.Encode(report.TerminationBytes))}}}}
	o, _ := pods.Observe(pod, key)
	if o.Reason != fault.CommandNotFound || o.Outcome != nil {
		t.Errorf("%+v", o)
	}
}

func TestObserveTakesTheOutcomeFromTheGatewayOrTheTerminationMessage(t *testing.T) {
	told := string(report.Outcome{ExitCode: 1}.Encode(report.OutcomeBytes))
	left := string(report.Outcome{ExitCode: 2}.Encode(report.TerminationBytes))
	for _, c := range []struct {
		name, annotation, message string
		want                      int // 0: no outcome
	}{
		{"both", told, left, 1},
		{"the gateway could not be reached", "", left, 2},
		{"the annotation is broken", "{", left, 2},
		{"neither can be read", `{"verdict":"passed"}`, "panic: …", 0},
		{"nothing", "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			pod := pods.Build(attempt(nil), options)
			if c.annotation != "" {
				key.SetOutcome(pod, c.annotation)
			}
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "test", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: c.message}}}}
			o, _ := pods.Observe(pod, key)
			got := 0
			if o.Outcome != nil {
				got = o.Outcome.ExitCode
			}
			if got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
}

func TestObserveKnowsItsOwn(t *testing.T) {
	for name, change := range map[string]func(*corev1.Pod){
		"no labels":        func(p *corev1.Pod) { p.Labels = nil },
		"no number":        func(p *corev1.Pod) { p.Labels[v1alpha1.AttemptLabel] = "first" },
		"number zero":      func(p *corev1.Pod) { p.Labels[v1alpha1.AttemptLabel] = "0" },
		"a number too big": func(p *corev1.Pod) { p.Labels[v1alpha1.AttemptLabel] = "4294967297" },
		"somebody else's":  func(p *corev1.Pod) { p.Labels[v1alpha1.ManagedByLabel] = "helm" },
		"no suite":         func(p *corev1.Pod) { delete(p.Labels, v1alpha1.SuiteLabel) },
	} {
		pod := pods.Build(attempt(nil), options)
		change(pod)
		if o, ok := pods.Observe(pod, key); ok {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestObserveBoundsMessages(t *testing.T) {
	pod := pods.Build(attempt(nil), options)
	pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, "Evicted", strings.Repeat("ü\n", 5000)
	now := metav1.NewTime(created)
	pod.DeletionTimestamp = &now
	o, _ := pods.Observe(pod, key)
	if len(o.Message) > 1024 || strings.Contains(o.Message, "\n") || !o.Stopping || !o.StopBy.Equal(created) {
		t.Errorf("%+v", o)
	}
}

var errBroken = errors.New("connection reset")

func status(code int, reason metav1.StatusReason, message string) metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message}
}

var (
	forbidden   = status(http.StatusForbidden, metav1.StatusReasonForbidden, `pods "x" is forbidden: violates PodSecurity "restricted:latest"`)
	quota       = status(http.StatusForbidden, metav1.StatusReasonForbidden, `pods "x" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, limited: pods=1`)
	invalid     = status(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "spec.containers[0].image: Required value")
	noNamespace = status(http.StatusNotFound, metav1.StatusReasonNotFound, `namespaces "shop-staging" not found`)
	unavailable = status(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "the API server is starting")
)
