package pods

import (
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unseenFor is how long a pod that was created counts though no cache shows it: one that was deleted before a watch
// told of it is never seen.
const unseenFor = time.Minute

// remembered is how many UIDs of pods are known, of a hundred bytes each.
const remembered = 1 << 14

// started remembers the pods that were created here: the pods themselves until the cache has them, and their UIDs as long
// as there is room.
type started struct {
	mu   sync.Mutex
	pods map[types.NamespacedName]startedPod
	uids *lru.Cache
}

func newStarted() *started {
	return &started{pods: map[types.NamespacedName]startedPod{}, uids: lru.New(remembered)}
}

// startedPod is a pod and when it was noted, by our own clock.
type startedPod struct {
	*corev1.Pod
	noted time.Time
}

func (s *started) add(pod *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := pod.DeepCopy()
	if kept.CreationTimestamp.IsZero() {
		kept.CreationTimestamp = metav1.Now()
	}
	s.pods[client.ObjectKeyFromObject(pod)] = startedPod{kept, time.Now()}
}

// created notes the pod with the UID that it was given.
func (s *started) created(pod *corev1.Pod) {
	s.uids.Add(client.ObjectKeyFromObject(pod), pod.UID)
	s.add(pod)
}

// first says whether nothing speaks against the pod being the one that was created here: one of its name that came after
// it is another.
func (s *started) first(pod *corev1.Pod) bool {
	uid, known := s.uids.Get(client.ObjectKeyFromObject(pod))
	return !known || pod.UID == "" || uid == pod.UID
}

func (s *started) remove(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pods, key)
}

// all gives those that are wanted and drops the ones that are never seen. They must not be changed.
func (s *started) all(wanted func(*corev1.Pod) bool) []*corev1.Pod {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.pods, func(_ types.NamespacedName, pod startedPod) bool { return time.Since(pod.noted) > unseenFor })
	var all []*corev1.Pod
	for _, pod := range s.pods {
		if wanted(pod.Pod) {
			all = append(all, pod.Pod)
		}
	}
	return all
}
