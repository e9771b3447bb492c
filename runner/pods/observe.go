package pods

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/report"
)

// Observe gives what can be seen of a pod that Build wrote; false when its labels say that it is not one.
func Observe(pod *corev1.Pod, key *proof.Key) (runner.ObservedAttempt, bool) {
	number, err := strconv.ParseInt(pod.Labels[v1alpha1.AttemptLabel], 10, 32)
	if err != nil || number < 1 || pod.Labels[v1alpha1.SuiteLabel] == "" || pod.Labels[v1alpha1.ManagedByLabel] != v1alpha1.ManagedBy {
		return runner.ObservedAttempt{}, false
	}
	o := runner.ObservedAttempt{
		AttemptID: runner.AttemptOf(pod.Labels[v1alpha1.SuiteLabel], int32(number)),
		Pod:       pod.Name,
		UID:       pod.UID,
		Created:   pod.CreationTimestamp.Time,
		Wrapped:   wrapped(pod),
		Timeout:   timeout(pod),
		Outcome:   outcome(pod, key),

		ContentDigest:     pod.Annotations[v1alpha1.ContentAnnotation],
		EnvironmentDigest: pod.Annotations[v1alpha1.EnvironmentAnnotation],
	}
	if at := pod.DeletionTimestamp; at != nil {
		o.Stopping, o.StopBy = true, at.Time
	}
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionTrue {
		o.Scheduled = c.LastTransitionTime.Time
	}
	state := containerState(pod)
	if state.Running != nil {
		o.Started = state.Running.StartedAt.Time
	}
	if state.Terminated != nil {
		o.Started, o.Ended = state.Terminated.StartedAt.Time, state.Terminated.FinishedAt.Time
	}
	switch {
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		o.Phase = runner.PhaseEnded
		ended(&o, pod, state.Terminated)
	case state.Running != nil || state.Terminated != nil: // terminated: the phase follows
		o.Phase = runner.PhaseRunning
	default:
		o.Phase = runner.PhasePending
		o.Waiting, o.Message = waiting(pod)
	}
	o.Message = oneLine(o.Message)
	return o, true
}

// outcome is what the gateway wrote down, else what assay-exec left in the termination message.
func outcome(pod *corev1.Pod, key *proof.Key) *report.Outcome {
	if text, ok := key.Outcome(pod); ok {
		if o, err := report.DecodeOutcome([]byte(text)); err == nil {
			return &o
		}
	}
	if t := containerState(pod).Terminated; t != nil && wrapped(pod) {
		if o, err := report.DecodeOutcome([]byte(t.Message)); err == nil {
			return &o
		}
	}
	return nil
}

// timeout is what Build noted; 0 when that is not there.
func timeout(pod *corev1.Pod) time.Duration {
	d, err := time.ParseDuration(pod.Annotations[v1alpha1.TimeoutAnnotation])
	if err != nil {
		return 0
	}
	return max(d, 0)
}

func wrapped(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == execVolume })
}

func containerState(pod *corev1.Pod) corev1.ContainerState {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == containerName {
			return c.State
		}
	}
	return corev1.ContainerState{}
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// ended says how the cluster accounts for the end of a pod.
func ended(o *runner.ObservedAttempt, pod *corev1.Pod, t *corev1.ContainerStateTerminated) {
	if t != nil && t.Reason != containerStatusUnknown {
		o.ExitCode = &t.ExitCode
	}
	disrupted := condition(pod, corev1.DisruptionTarget)
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
	case pod.Status.Reason == "DeadlineExceeded":
		o.Reason, o.Message = fault.TimedOut, pod.Status.Message
	case pod.Status.Reason == "NodeLost":
		o.Reason, o.Message = fault.PodLost, withDetail("the node is lost", pod.Status.Message)
	case pod.Status.Reason != "": // Evicted, Preempting, Terminated, NodeShutdown, OutOfcpu, UnexpectedAdmissionError, …
		o.Reason, o.Message = fault.Evicted, withDetail("the node ended the pod: "+pod.Status.Reason, pod.Status.Message)
	case disrupted != nil && disrupted.Status == corev1.ConditionTrue:
		o.Reason, o.Message = fault.Evicted, withDetail("the cluster took the pod away: "+disrupted.Reason, disrupted.Message)
	case initFailure(pod) != nil:
		f := initFailure(pod)
		o.Reason, o.Message = fault.ContentFailed, withDetail(fmt.Sprintf("assay-exec could not be copied: exit code %d", f.ExitCode), f.Message)
	case t == nil || t.Reason == containerStatusUnknown:
		o.Reason, o.Message = fault.PodLost, "the node lost the container"
	case t.Reason == "StartError" || t.Reason == "ContainerCannotRun":
		o.Reason, o.Message = fault.CommandNotFound, withDetail("the container could not be started", t.Message)
		if wrapped(pod) { // what could not be started is assay-exec
			o.Reason = fault.ContentFailed
		}
	case t.Reason == "OOMKilled" && t.ExitCode != 0:
		o.Reason, o.Message = fault.LimitExceeded, outOfMemory(pod)
	}
}

// containerStatusUnknown is the kubelet's reason for a container that it lost track of; the exit code 137 beside it is
// made up.
const containerStatusUnknown = "ContainerStatusUnknown"

func initFailure(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for _, c := range pod.Status.InitContainerStatuses {
		if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
			return t
		}
	}
	return nil
}

func outOfMemory(pod *corev1.Pod) string {
	for _, c := range pod.Spec.Containers {
		if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok && c.Name == containerName {
			return fmt.Sprintf("killed: out of memory (limit %s; raise spec.resources.limits.memory)", limit.String())
		}
	}
	return "killed: out of memory"
}

// waiting says why a pending pod does not start. Reasons of an init container get a prefix: it is not the suite's.
func waiting(pod *corev1.Pod) (reason, message string) {
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return c.Reason, c.Message
	}
	for _, c := range pod.Status.InitContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason != "PodInitializing" {
			return "Init:" + w.Reason, w.Message
		}
	}
	if w := containerState(pod).Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
		return w.Reason, w.Message
	}
	return "", ""
}

func withDetail(text, detail string) string {
	if detail == "" {
		return text
	}
	return text + ": " + detail
}

// oneLine bounds what the cluster says to one line of at most 1 KiB.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 1024 {
		s = strings.ToValidUTF8(s[:1021], "") + "…"
	}
	return s
}
