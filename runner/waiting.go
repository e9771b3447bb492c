package runner

import (
	"fmt"
	"regexp"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// pullGrace is how long the kubelet may fail, from the moment the pod has its node. It tries an image again after 10 s and
// after 20 s more, so this is three tries: enough for a registry that hiccups, short enough for somebody who mistyped a
// name. The kubelet does not tell one from the other, except in its message, which is for people.
const pullGrace = 45 * time.Second

// imageRemedy is for an image that cannot be had; the namespace says whose pull secrets count.
const imageRemedy = "correct spec.image, or give the service account of namespace %[1]q the registry's pull secret"

// waiting is what a reason of the kubelet's means for a pod that does not start.
type waiting struct {
	reason fault.Reason
	grace  time.Duration // from the moment the pod has its node
	while  string        // said meanwhile: fixed, since the kubelet's own words change with every try
	remedy string        // said in the end; %[1]q is the environment's namespace
}

// configError is the kubelet's reason for a ConfigMap or a Secret that is missing, or lacks a key.
const configError = "CreateContainerConfigError"

var aboutConfigMap = regexp.MustCompile(`^configmaps? | in ConfigMap `)

// whoseConfig tells the two apart, which the kubelet does in its message only, such as: configmap "a" not found,
// or: couldn't find key b in Secret team/c.
func whoseConfig(message string) fault.Reason {
	if aboutConfigMap.MatchString(message) {
		return fault.ConfigMapInvalid
	}
	return fault.SecretInvalid
}

// waits are the reasons that somebody has to change something for. All others (ContainerCreating, Unschedulable,
// RegistryUnavailable, …) are the cluster's, and wait for the environment's startTimeout.
var waits = map[string]waiting{
	"ErrImageNeverPull":         {fault.ImagePullFailed, 0, "", imageRemedy},
	"InvalidImageName":          {fault.ImagePullFailed, 0, "", imageRemedy},
	"ErrImagePull":              {fault.ImagePullFailed, pullGrace, "waiting for its image", imageRemedy},
	"ImagePullBackOff":          {fault.ImagePullFailed, pullGrace, "waiting for its image", imageRemedy},
	"ImageInspectError":         {fault.ImagePullFailed, pullGrace, "waiting for its image", imageRemedy},
	"SignatureValidationFailed": {fault.ImagePullFailed, pullGrace, "waiting for its image", imageRemedy},
	configError: {fault.SecretInvalid, pullGrace, "waiting for the ConfigMaps and Secrets of its env",
		"create it in namespace %[1]q, or take it out of the suite's env and envFrom"},
	"CreateContainerError": {fault.PodRefused, pullGrace, "waiting for its container", ""},
}

func (s *step) judgePending(a *v1alpha1.Attempt, o ObservedAttempt) {
	limit := s.env.StartTimeout()
	a.State, a.Reason, a.Message = v1alpha1.StatePending, "", waitingFor(o)
	if w, known := waits[o.Waiting]; known {
		begin := o.Scheduled
		if begin.IsZero() {
			begin = o.Created
		}
		if o.Waiting == configError {
			w.reason = whoseConfig(o.Message)
		}
		a.Reason = string(w.reason)
		if end := begin.Add(min(w.grace, limit)); s.now.Before(end) {
			s.lookAgain(end)
			return
		}
		message := orWaiting(o)
		if w.remedy != "" {
			message += fmt.Sprintf(" (%s)", fmt.Sprintf(w.remedy, s.env.Spec.Namespace))
		}
		s.end(a, v1alpha1.StateErrored, w.reason, message, s.now)
		return
	}
	end := o.Created.Add(limit)
	if s.now.Before(end) {
		s.lookAgain(end)
		return
	}
	s.end(a, v1alpha1.StateErrored, fault.NotStarted, fmt.Sprintf("the pod did not start within %s: %s", limit, orWaiting(o)), s.now)
}

// waitingFor says what a pod waits for without words that change from look to look.
func waitingFor(o ObservedAttempt) string {
	if w, known := waits[o.Waiting]; known {
		return w.while
	}
	if o.Scheduled.IsZero() {
		return "waiting for a node"
	}
	return "waiting for its container"
}

func orWaiting(o ObservedAttempt) string {
	switch {
	case o.Message != "":
		return o.Message
	case o.Waiting != "":
		return o.Waiting
	}
	return waitingFor(o)
}
