package pods

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/assay-dev/assay/api/fault"
)

// quotaPause is how long to wait for room in a quota.
const quotaPause = 15 * time.Second

// refusal classifies why the API server did not take or delete a pod.
func refusal(pod *corev1.Pod, err error) error {
	const format = "the API server refuses pod %q in namespace %q: %w"
	switch {
	case overQuota(err):
		f := fault.New(fault.RateLimited, fault.Place{}, "", "there is no quota for pod %q in namespace %q: %w", pod.Name, pod.Namespace, err)
		f.After = quotaPause
		return f
	case apierrors.IsNotFound(err):
		return fault.New(fault.PodRefused, fault.Place{}, "create the namespace that the environment names", format, pod.Name, pod.Namespace, err)
	case apierrors.IsForbidden(err):
		return fault.New(fault.PodRefused, fault.Place{}, "mend the suite, or ask who owns the environment", format, pod.Name, pod.Namespace, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return fault.New(fault.PodRefused, fault.Place{}, "mend the suite", format, pod.Name, pod.Namespace, err)
	case apierrors.IsConflict(err):
		return fault.New(fault.Conflict, fault.Place{}, "", format, pod.Name, pod.Namespace, err)
	}
	f := fault.New(fault.HostFailed, fault.Place{}, "", "the API server fails at pod %q in namespace %q: %w", pod.Name, pod.Namespace, err)
	if after, ok := apierrors.SuggestsClientDelay(err); ok {
		f.After = time.Duration(after) * time.Second
	}
	return f
}

// overQuota tells a full quota, which passes, from other things that are forbidden. The API server says so in its text
// only (apiserver/pkg/admission/plugin/resourcequota), so this is the one place where a text decides; a change of it
// would make a full quota final.
func overQuota(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), ": exceeded quota: ")
}
