package pods

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// containerName of the one container that runs the suite.
const containerName = "test"

// Build gives the pod of an attempt: one container, within the restricted Pod Security level, with no token but the one
// for the gateway. A suite without a command runs its image as it is: without assay-exec, content and token.
func Build(attempt runner.Attempt, o Options) *corev1.Pod {
	o = o.withDefaults()
	suite, env := attempt.Suite, attempt.Environment
	user := v1alpha1.DefaultRunAsUser
	if suite.Spec.RunAsUser != nil {
		user = *suite.Spec.RunAsUser
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: env.Spec.Namespace,
			Name:      runner.PodName(attempt.Run, attempt.ID),
			Labels:    labels(attempt),
			Annotations: map[string]string{
				v1alpha1.TimeoutAnnotation: runner.Timeout(suite).String(),
			},
		},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			ServiceAccountName:            env.Spec.ServiceAccountName,
			AutomountServiceAccountToken:  ptr.To(false),
			EnableServiceLinks:            ptr.To(false),
			ActiveDeadlineSeconds:         ptr.To(deadline(attempt)),
			TerminationGracePeriodSeconds: ptr.To(seconds(runner.StopGrace)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   ptr.To(true),
				RunAsUser:      ptr.To(user),
				RunAsGroup:     ptr.To(user),
				FSGroup:        ptr.To(user),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{container(attempt)},
		},
	}
	if runner.Wrapped(suite) {
		wrap(pod, attempt, o)
	}
	if digest := attempt.EnvironmentDigest(); digest != "" {
		metav1.SetMetaDataAnnotation(&pod.ObjectMeta, v1alpha1.EnvironmentAnnotation, digest)
	}
	o.Key.SignPod(pod)
	return pod
}

func labels(attempt runner.Attempt) map[string]string {
	return map[string]string{
		v1alpha1.ManagedByLabel:    v1alpha1.ManagedBy,
		v1alpha1.RunLabel:          attempt.Run.Name,
		v1alpha1.RunNamespaceLabel: attempt.Run.Namespace,
		v1alpha1.RunUIDLabel:       string(attempt.Run.UID),
		v1alpha1.SuiteLabel:        attempt.ID.Suite,
		v1alpha1.AttemptLabel:      strconv.Itoa(int(attempt.ID.Number)),
		v1alpha1.RepositoryLabel:   attempt.Run.Spec.RepositoryRef.Name,
		v1alpha1.EnvironmentLabel:  attempt.Environment.Name,
	}
}

// deadline is the net below assay-exec and the controller: it counts from the moment the kubelet takes the pod, so it
// holds the time to start as well.
func deadline(attempt runner.Attempt) int64 {
	return seconds(runner.Timeout(attempt.Suite) + attempt.Environment.StartTimeout() + runner.StopGrace + runner.TellGrace)
}

// seconds rounds up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
