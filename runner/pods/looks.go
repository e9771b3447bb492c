package pods

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/proof"
)

// look is what was seen of a pod at one of its versions.
type look struct {
	version string
	// ours: the controller made it. attempt: Observe gives one.
	ours, attempt bool
	observed      runner.ObservedAttempt
}

// looks remembers them. Every event of a run looks at all its pods, most of which have ended long ago: proving and
// decoding each again would cost the square of the suites.
type looks struct {
	key   *proof.Key
	known *lru.Cache
}

func newLooks(key *proof.Key) *looks { return &looks{key, lru.New(remembered)} }

// at looks at a pod as it is. What is observed must not be changed.
func (l *looks) at(pod *corev1.Pod) look {
	if known, ok := l.known.Get(pod.UID); ok && pod.ResourceVersion != "" {
		if seen := known.(look); seen.version == pod.ResourceVersion {
			return seen
		}
	}
	seen := look{version: pod.ResourceVersion, ours: l.key.IsPod(pod)}
	if seen.ours {
		seen.observed, seen.attempt = Observe(pod, l.key)
	}
	if pod.UID != types.UID("") {
		l.known.Add(pod.UID, seen)
	}
	return seen
}
